import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { accountKey } from '#runtime/keys/keyring';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { Records } from '#runtime/records/records';
import { sqliteRecords } from '#runtime/records/sqlite';
import type { Logger } from '#runtime/telemetry/logger';
import type { GatewayDependencies } from '../dependencies.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { DEFAULT_LIMITS, type GatewayLimits } from '../limits.ts';
import { type TestAnnouncer, testAnnouncer } from './announcer.ts';
import { APPROVAL_SECRET, SP_ID, TestChain } from './chain.ts';
import { type TestPipeline, testPipeline } from './pipeline.ts';

/** A log that keeps its lines for inspection. */
export function testLog(): Logger & { readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (fields: object, message: string) => void lines.push({ ...fields, message });
  const log = { lines, debug: write, info: write, warn: write, error: write, child: () => log };
  return log;
}

/** A PieceStore that fails on any use; for tests that read nothing. */
export const noPieces = new Proxy({} as PieceStore, {
  get: (_, name) => {
    throw new Error(`the piece store was asked to ${String(name)}`);
  },
});

/** A gateway, with the parts behind it that a test may inspect or change. */
export interface TestGateway {
  readonly app: Gateway;
  readonly chain: TestChain;
  readonly pipeline: TestPipeline;
  readonly announcer: TestAnnouncer;
  /** Holds the off-chain keys. */
  readonly records: Records;
  /** Does not exist until the records are first used. */
  readonly recordsFile: string;
  readonly log: ReturnType<typeof testLog>;
}

export function testGateway(
  t: ExecutionContext,
  over: { readonly limits?: Partial<GatewayLimits> } & Partial<
    Pick<
      GatewayDependencies,
      'pieces' | 'corsOrigins' | 'receivers' | 'domains' | 'anyHost' | 'proxies' | 'gateways'
    >
  > = {},
): TestGateway {
  const chain = new TestChain();
  const pipeline = testPipeline(t);
  const announcer = testAnnouncer(t, chain);
  const log = testLog();
  const recordsFile = join(temporaryFolder(t), 'records.db');
  const records = sqliteRecords(recordsFile);
  t.teardown(() => records.close());
  const app = createGateway({
    chain,
    spId: SP_ID,
    approvalKey: accountKey(APPROVAL_SECRET),
    pieces: over.pieces ?? noPieces,
    offChainKeys: records.offChainKeys,
    objects: pipeline.objects,
    announcer: announcer.announcer,
    ...(over.receivers && { receivers: over.receivers }),
    limits: { ...DEFAULT_LIMITS, ...over.limits },
    domains: over.domains ?? ['sp1.localhost'],
    anyHost: over.anyHost ?? false,
    ...(over.proxies && { proxies: over.proxies }),
    ...(over.gateways && { gateways: over.gateways }),
    corsOrigins: over.corsOrigins ?? ['*'],
    log,
  });
  return { app, chain, pipeline, announcer, records, recordsFile, log };
}

/** Path of a folder that does not exist yet: its first user creates it. */
function temporaryFolder(t: ExecutionContext): string {
  const folder = join(tmpdir(), `sealion-gateway-${randomUUID()}`);
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Code and message of an error response. */
export async function errorOf(
  response: Response,
): Promise<{ status: number; code: number; message: string }> {
  const xml = await response.text();
  const match = /^<Error><Code>([0-9]+)<\/Code><Message>(.*)<\/Message><\/Error>$/s.exec(xml);
  if (!match) throw new Error(`no error XML: ${xml}`);
  return { status: response.status, code: Number(match[1]), message: match[2] ?? '' };
}
