import type { ControlBody } from '#protocols/control/bodies';
import { Retryable, throwIfAborted } from '#protocols/errors';
import { orAborted } from '../../async/or-aborted.ts';
import { pause } from '../../async/pause.ts';
import { isNoResponders, isTimeout, natsError } from '../../nats/errors.ts';
import type { ColumnRequest } from '../peers.ts';
import type { PeerContext } from './context.ts';
import { readRefusal } from './recovery-wire.ts';
import { recoverySubject } from './subjects.ts';
import { traceHeaders } from './trace-headers.ts';

/** The requested bytes, as in the signed message. */
export type FetchedRange = ControlBody<'fetch'>;

/** Time limit for one answer, ms. */
const ANSWER_LIMIT_MS = 30_000;
/** How often a busy SP is asked again, and the pause in between, which grows with each try; ms. */
const BUSY_TRIES = 10;
const BUSY_PAUSE_MS = 50;

/**
 * Sends one signed request for a range of a piece, and repeats it while the holder is busy.
 * @throws Retryable `peer-unreachable`, `fetch-refused`, `wrong-length`; Terminal `fetch-refused`; Cancelled
 */
export async function fetchRange(
  context: PeerContext,
  request: ColumnRequest,
  range: FetchedRange,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { connection, codec, spId, closed } = context;
  const { to, job, gvgId, redundancyIndex, trace } = request;
  for (let tries = 1; ; tries += 1) {
    throwIfAborted(signal);
    const about = { job, gvgId, redundancyIndex };
    const expiresAt = Date.now() + ANSWER_LIMIT_MS;
    const message = await codec.seal({ kind: 'fetch', to, about, expiresAt, body: range });
    const asked = connection.request(recoverySubject(to, spId), message.bytes, {
      timeout: ANSWER_LIMIT_MS,
      ...(trace !== undefined && { headers: traceHeaders([trace]) }),
    });
    const answer = await orAborted(asked, signal, closed).catch((thrown: unknown) => {
      const error = natsError(thrown, `asking storage provider ${to} for a piece`);
      // without the permission to ask, another wire may still work
      const unasked = isNoResponders(thrown) || isTimeout(thrown) || error.code === 'nats-refused';
      throw unasked ? unreachable(to, error) : error;
    });
    const refusal = readRefusal(answer, to);
    if (!refusal) {
      if (answer.data.length === range.length) return answer.data;
      throw wrongLength(to, range.length, answer.data.length);
    }
    if (refusal.code !== 'too-many-fetches' || tries === BUSY_TRIES) throw refusal.error;
    await pause(BUSY_PAUSE_MS * tries, signal, closed);
  }
}

/** The other end sent more or fewer bytes than the piece has. */
export function wrongLength(spId: number, expected: number, sent: number): Retryable {
  return new Retryable({
    code: 'wrong-length',
    message: `Storage provider ${spId} sent ${sent} bytes instead of ${expected}.`,
  });
}

function unreachable(spId: number, cause: unknown): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: `Storage provider ${spId} does not answer fetches on NATS.`,
    cause,
  });
}
