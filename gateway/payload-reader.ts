import { Retryable } from '../protocols/errors.ts';
import type { JobId } from '../protocols/job/identity.ts';
import { segmentKey } from '../protocols/payload/keys.ts';
import type { PayloadPlan } from '../protocols/payload/plan.ts';
import type { PieceStore } from '../runtime/pieces/piece-store.ts';
import type { ByteRange } from './range.ts';

/** The part of one segment that a range covers. */
interface Part extends ByteRange {
  readonly index: number;
  readonly whole: boolean;
}

/** A part that is being read; its first chunk was asked for already. */
interface OpenPart {
  readonly part: Part;
  readonly first: Promise<IteratorResult<Uint8Array>>;
  readonly rest: AsyncIterator<Uint8Array>;
}

/**
 * The bytes of a stored payload in order, from the primary's segments. While one segment is handed out, the first
 * chunk of the next is fetched ahead. Reading stops when the iteration is ended or `signal` fires.
 * @param range must lie within the payload
 * @throws Terminal `piece-missing`; Retryable `piece-corrupt`, also when a segment is shorter or longer than planned
 */
export async function* readPayload(
  pieces: PieceStore,
  job: JobId,
  plan: PayloadPlan,
  range: ByteRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stop = new AbortController();
  const parts = partsOf(plan, range);
  const open = (index: number): OpenPart | undefined => {
    const part = parts[index];
    if (!part) return undefined;
    const within = part.whole ? {} : { offset: part.offset, length: part.length };
    const bytes = pieces.read(segmentKey(job, part.index), {
      ...within,
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
      for (let chunk = await current.first; !chunk.done; chunk = await current.rest.next()) {
        ahead ??= open(i);
        sent += chunk.value.length;
        if (sent > current.part.length) break;
        yield chunk.value;
      }
      if (sent !== current.part.length) throw wrongLength(job, current.part, sent);
      current = ahead;
      ahead = undefined;
    }
  } finally {
    stop.abort();
    // A reader that waits for nothing does not notice the signal.
    for (const part of [current, ahead]) part?.rest.return?.().catch(() => {});
  }
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

function wrongLength(job: JobId, part: Part, bytes: number): Retryable {
  return new Retryable({
    code: 'piece-corrupt',
    message: `Segment ${segmentKey(job, part.index)} gave ${bytes} bytes instead of ${part.length}.`,
    advice: 'Look at the object in the piece store; it may have to be recovered from the secondaries.',
  });
}
