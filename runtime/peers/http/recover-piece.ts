import { Retryable, Terminal } from '#protocols/errors';
import { currentContent } from '#protocols/greenfield/content';
import type { StorageProvider } from '#protocols/greenfield/types';
import { PRIMARY } from '#protocols/integrity/checksums';
import {
  formatRecoveryMessage,
  RECOVER_PIECE_PATH,
  RECOVERY_MESSAGE_HEADER,
} from '#protocols/replication/recovery-message';
import { recoveryTaskDigest } from '#protocols/replication/recovery-task';
import type { Chain } from '../../chain/chain.ts';
import type { AccountKey } from '../../keys/keys.ts';
import { TRACEPARENT } from '../../telemetry/traces.ts';
import { wrongLength } from '../nats/fetch-range.ts';
import type { PieceRequest } from '../peers.ts';
import { wireObject, wireParams } from './column-task.ts';
import type { HttpLinks } from './links.ts';
import { refusal } from './refusals.ts';

export interface RecoverPieceOptions {
  readonly chain: Pick<Chain, 'objectById' | 'storageParams'>;
  readonly providers: () => Promise<readonly StorageProvider[]>;
  readonly operatorKey: AccountKey;
  readonly links: HttpLinks;
  /** Time limit of the whole request, ms. */
  readonly timeoutMs: number;
}

/**
 * Fetches a stored piece over today's HTTP wire. The task names the column that is being repaired, which is the
 * requester's: a secondary answers with its own piece, the primary with the requester's.
 * @throws Retryable `peer-unreachable`, `fetch-refused`, `wrong-length`; Terminal `fetch-refused`, `not-sealed`;
 * Cancelled
 */
export async function recoverPiece(
  request: PieceRequest,
  options: RecoverPieceOptions,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { chain, operatorKey, links, timeoutMs } = options;
  const { job, to, segmentIndex, length, trace } = request;
  const asked = signal ? { signal } : {};
  const providers = await options.providers();
  const endpoint = providers.find(({ id }) => id === to)?.endpoint;
  if (endpoint === undefined) throw unlisted(to);
  const onChain = await chain.objectById(job.objectId, asked);
  if (!onChain?.gvg || onChain.object.version !== job.version) {
    throw new Terminal({
      code: 'not-sealed',
      message: `The chain has no sealed version ${job.version} of object ${job.objectId}.`,
    });
  }
  const own = providers.find(({ operatorAddress }) => operatorAddress === operatorKey.address)?.id ?? 0;
  const { primarySpId, secondarySpIds } = onChain.gvg;
  const params = await chain.storageParams(currentContent(onChain).announcedAt, asked);
  const now = Math.floor(Date.now() / 1000);
  const task = {
    object_info: wireObject(onChain.object),
    storage_params: wireParams(params),
    task: { create_time: now, update_time: now },
    segment_idx: segmentIndex,
    ec_idx: primarySpId === own ? PRIMARY : secondarySpIds.indexOf(own),
    piece_size: length,
  };
  const signature = Buffer.from(await operatorKey.sign(recoveryTaskDigest(task))).toString('base64');
  const answer = await links.call(
    {
      method: 'GET',
      endpoint,
      path: RECOVER_PIECE_PATH,
      headers: {
        [RECOVERY_MESSAGE_HEADER]: formatRecoveryMessage({ ...task, signature }),
        ...(trace !== undefined && { [TRACEPARENT]: trace }),
      },
      maxAnswer: length,
    },
    { timeoutMs, signals: [signal] },
  );
  if (answer.status !== 200) throw await refusal('fetch-refused', to, answer);
  if (answer.bytes.length !== length) throw wrongLength(to, length, answer.bytes.length);
  return answer.bytes;
}

function unlisted(spId: number): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: `The chain lists no storage provider ${spId}.`,
  });
}
