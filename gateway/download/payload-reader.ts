import { Retryable, SealionError, Terminal } from '#protocols/errors';
import type { JobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import type { PayloadPlan } from '#protocols/payload/plan';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { ByteRange } from './range.ts';

/** The part of a segment within a range. */
interface Part extends ByteRange {
  readonly index: number;
  readonly whole: boolean;
}

/** A part being read; its first chunk has already been requested. */
interface OpenPart {
  readonly part: Part;
  readonly first: Promise<IteratorResult<Uint8Array>>;
  readonly rest: AsyncIterator<Uint8Array>;
}

/** The next segment is opened when this many bytes of the current one are left. */
const AHEAD_BYTES = 2 * 2 ** 20;

/** The source of a payload. */
export interface PayloadSource {
  readonly pieces: PieceStore;
  readonly job: JobId;
  readonly plan: PayloadPlan;
  /**
   * Restores and verifies a lost segment; absent when that is not possible.
   * @throws when too few of its pieces can be reached
   */
  readonly recover?: (segmentIndex: number, signal: AbortSignal) => Promise<Uint8Array>;
  /** Maximum number of bytes to pass to the client next. */
  readonly atMost?: () => number;
  /** As for `PieceStore.read`. */
  readonly isDone?: () => boolean;
}

/**
 * The bytes of a stored payload in order, from the primary's segments. The first chunk of a segment is requested while
 * the end of the previous one is being handed out. Reading stops when the iteration ends or `signal` fires. A segment
 * that is missing or damaged, as a whole or from some byte on, is restored from the pieces of the secondaries, and
 * reading continues after the last byte handed out.
 *
 * A range cannot be checked against the checksum of its whole segment, but a missing chunk is noticed. So is a damaged
 * disk: the server stores a checksum with each message and does not deliver one that does not match. All other wrong
 * bytes are found only by reading the whole segment and by the scrub.
 * @param range must be within the payload
 * @throws Terminal `piece-missing`; Retryable `piece-corrupt`, also when a segment is shorter or longer than planned;
 * what `recover` throws
 */
export async function* readPayload(
  source: PayloadSource,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { pieces, job, plan, atMost, isDone } = source;
  const stop = new AbortController();
  const parts = partsOf(plan, range);
  const open = (index: number): OpenPart | undefined => {
    const part = parts[index];
    if (!part) return undefined;
    const within = part.whole ? {} : { offset: part.offset, length: part.length };
    const bytes = pieces.read(segmentKey(job, part.index), {
      ...within,
      ...(atMost && { atMost }),
      ...(isDone && { isDone }),
      signal: AbortSignal.any([signal, stop.signal]),
    });
    const rest = bytes[Symbol.asyncIterator]();
    const first = rest.next();
    first.catch(() => {});
    return { part, first, rest };
  };
  let current = open(0);
  let ahead: OpenPart | undefined;
  try {
    for (let i = 1; current; i++) {
      let sent = 0;
      try {
        for (let chunk = await current.first; !chunk.done; chunk = await current.rest.next()) {
          if (sent + chunk.value.length + AHEAD_BYTES >= current.part.length) ahead ??= open(i);
          if (sent + chunk.value.length > current.part.length) throw wrongLength(job, current.part);
          sent += chunk.value.length;
          yield chunk.value;
        }
        if (sent !== current.part.length) throw wrongLength(job, current.part);
      } catch (error) {
        yield* recovered(source, current.part, sent, error, signal);
      }
      current = ahead ?? open(i);
      ahead = undefined;
    }
  } finally {
    stop.abort();
    // A reader that is not waiting does not notice the signal.
    for (const part of [current, ahead]) part?.rest.return?.().catch(() => {});
  }
}

/** Chunk size of a restored segment, bytes. */
const CHUNK_BYTES = 2 ** 20;

/** The rest of a part after the bytes already sent, from the restored segment. @throws the failure itself */
async function* recovered(
  { pieces, job, recover }: PayloadSource,
  part: Part,
  sent: number,
  failure: unknown,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!recover || !isDamage(failure)) throw failure;
  const segment = await recoverOr(failure, () => recover(part.index, signal));
  const wanted = segment.subarray(part.offset, part.offset + part.length);
  if (sent > 0) await checkSent(pieces, job, part, wanted.subarray(0, sent), failure);
  for (let at = sent; at < wanted.length; at += CHUNK_BYTES) yield wanted.subarray(at, at + CHUNK_BYTES);
}

async function recoverOr<T>(failure: unknown, recover: () => Promise<T>): Promise<T> {
  try {
    return await recover();
  } catch (error) {
    // an object that is not sealed cannot be restored from other SPs
    throw error instanceof Terminal ? failure : error;
  }
}

/**
 * Compares the bytes already sent with the restored segment: if they were wrong, the response must be aborted. They are
 * read from the store again, since a stored chunk does not change.
 */
async function checkSent(
  pieces: PieceStore,
  job: JobId,
  part: Part,
  expected: Uint8Array,
  failure: unknown,
): Promise<void> {
  let at = 0;
  const stored = pieces.read(segmentKey(job, part.index), { offset: part.offset, length: expected.length });
  try {
    for await (const chunk of stored) {
      if (!Buffer.from(chunk).equals(expected.subarray(at, at + chunk.length))) throw failure;
      at += chunk.length;
    }
  } catch {
    throw failure;
  }
  if (at !== expected.length) throw failure;
}

function isDamage(error: unknown): boolean {
  return error instanceof SealionError && (error.code === 'piece-missing' || error.code === 'piece-corrupt');
}

function partsOf(plan: PayloadPlan, range: ByteRange): Part[] {
  if (range.length === 0) return [];
  const end = range.offset + range.length;
  const first = Math.floor(range.offset / plan.maxSegmentSize);
  const count = Math.ceil(end / plan.maxSegmentSize) - first;
  return Array.from({ length: count }, (_, i) => {
    const segment = plan.segment(first + i);
    const offset = Math.max(0, range.offset - segment.offset);
    const length = Math.min(segment.length, end - segment.offset) - offset;
    return { index: segment.index, offset, length, whole: length === segment.length };
  });
}

function wrongLength(job: JobId, part: Part): Retryable {
  return new Retryable({
    code: 'piece-corrupt',
    message: `Segment ${segmentKey(job, part.index)} does not have the expected ${part.length} bytes.`,
    advice: 'Run "sealion verify --repair" for the object.',
  });
}
