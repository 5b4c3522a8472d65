import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import type { RepairMessage } from '#actors/messages';
import { createGateway } from '#gateway/gateway';
import { DEFAULT_LIMITS } from '#gateway/limits';
import { serveGateway } from '#gateway/server';
import { RECEIVE_MESSAGE_HEADER, REPLICATE_PIECE_PATH } from '#protocols/replication/receive-message';
import { type ReceiveTask, receiveTaskDigest } from '#protocols/replication/receive-task';
import type { Ref } from '#runtime/actors/types';
import type { AccountKey } from '#runtime/keys/keys';
import { ColumnTask, type TaskStep } from '#runtime/peers/http/column-task';
import type { ColumnOffer } from '#runtime/peers/peers';
import { sqliteRecords } from '#runtime/records/sqlite';
import { silentLogger } from '#runtime/telemetry/logger';
import type { ChainFixture } from '../devnet/chain/testing.ts';
import { keysOf } from './offers.ts';
import { type Secondary, temporaryDirectory } from './secondary.ts';

/** Puts a secondary behind a gateway of its own. @returns its endpoint */
export async function serveSecondary(
  t: ExecutionContext,
  { ports, system, receivers }: Secondary,
  repairer?: Ref<RepairMessage>,
): Promise<string> {
  const records = sqliteRecords(join(await temporaryDirectory(t), 'records.sqlite'));
  t.teardown(() => records.close());
  const idle = (kind: string) =>
    system.spawn(kind, { kind, start: () => undefined, receive: () => undefined });
  const app = createGateway({
    chain: ports.chain,
    spId: ports.spId,
    approvalKey: ports.keys.approval,
    pieces: ports.pieces,
    offChainKeys: records.offChainKeys,
    objects: idle('objects'),
    announcer: idle('announcer'),
    receivers,
    ...(repairer && { repairer }),
    limits: DEFAULT_LIMITS,
    domains: [],
    corsOrigins: [],
    log: silentLogger,
  });
  const options = { host: '127.0.0.1', port: 0, closeTimeoutMs: 0, log: silentLogger };
  const { port, close } = await serveGateway(app, options);
  t.teardown(close);
  return `http://127.0.0.1:${port}`;
}

/** A task before it is signed, so that tests can change it. */
export type Unsigned = ReceiveTask & {
  finished?: boolean;
  global_virtual_group_id?: number;
  is_agent_upload_task?: boolean;
};

/** The header of a task of primary 1, changed, and then signed with its operator key or another. */
export async function headerOf(
  fixture: ChainFixture,
  offer: ColumnOffer,
  step: TaskStep,
  change: (task: Unsigned) => Unsigned = (task) => task,
  key: AccountKey = keysOf(fixture, 1).operator,
): Promise<string> {
  const { chain } = fixture;
  const task = await ColumnTask.describe({ offer, chain, operatorKey: key, signal: undefined });
  const message = JSON.parse(Buffer.from(await task.header(step), 'hex').toString()) as Unsigned;
  const changed = change(message);
  const signature = Buffer.from(await key.sign(receiveTaskDigest(changed))).toString('base64');
  return Buffer.from(JSON.stringify({ ...changed, signature })).toString('hex');
}

/** The answer of a gateway to a task. */
export interface TaskAnswer {
  readonly status: number;
  /** Code of the error; 0 without one. */
  readonly code: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Sends a PUT of a task; the body may be sent piece by piece. */
export function putTask(
  endpoint: string,
  header: string,
): {
  write(bytes: Uint8Array): void;
  end(bytes?: Uint8Array): void;
  destroy(): void;
  answer: Promise<TaskAnswer>;
} {
  const outgoing = request(`${endpoint}${REPLICATE_PIECE_PATH}`, {
    method: 'PUT',
    headers: { [RECEIVE_MESSAGE_HEADER]: header },
  });
  const answer = new Promise<TaskAnswer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      text(response).then((body) => {
        const code = Number(/<Code>([0-9]+)<\/Code>/.exec(body)?.[1] ?? 0);
        resolve({ status: response.statusCode ?? 0, code, headers: response.headers });
      }, reject);
    });
  });
  // Ignored by tests that abort the request.
  answer.catch(() => undefined);
  return {
    write: (bytes) => outgoing.write(bytes),
    end: (bytes) => outgoing.end(bytes),
    destroy: () => outgoing.destroy(),
    answer,
  };
}
