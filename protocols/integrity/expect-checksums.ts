import { createHash, type Hash } from 'node:crypto';
import type { ReedSolomon } from '../erasure/reed-solomon.ts';
import { throwIfAborted } from '../errors.ts';
import type { Hex } from '../greenfield/types.ts';
import { type PayloadShape, planPayload } from '../payload/plan.ts';
import { redundancyCode } from '../payload/redundancy.ts';

/**
 * What a client puts into `expect_checksums` of MsgCreateObject (protocols/integrity/README.md#hashing): the integrity hash of the
 * primary over its segments, then those of the secondaries over their columns, in the order of the redundancy
 * index. Memory is bounded by about one segment and its parity, however long the payload is.
 *
 * @param payload its bytes, in chunks of any size; the signal is looked at between them
 * @throws Terminal `bad-payload-shape`; Cancelled
 */
export async function expectChecksums(
  payload: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  shape: Omit<PayloadShape, 'payloadSize'>,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Hex[]> {
  const { maxSegmentSize, columnCount } = planPayload({ ...shape, payloadSize: 0 });
  const code = redundancyCode(shape);
  const roles = Array.from({ length: 1 + columnCount }, () => createHash('sha256'));
  for await (const segment of segmentsOf(payload, maxSegmentSize, options.signal)) {
    addSegment(roles, code, segment);
  }
  return roles.map((role) => role.digest('hex'));
}

function addSegment(roles: readonly Hash[], code: ReedSolomon, segment: Uint8Array): void {
  const own = sha256(segment);
  for (const [i, piece] of [segment, ...code.encode(segment)].entries()) {
    // With a single data shard all pieces are the segment itself: one hash does for all.
    roles[i]?.update(code.dataShards === 1 ? own : sha256(piece));
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

const FIRST_BUFFER_BYTES = 64 * 1024;

/** The payload in segments. All of them come in one buffer: each is valid only until the next is asked for. */
async function* segmentsOf(
  payload: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxSegmentSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(Math.min(maxSegmentSize, FIRST_BUFFER_BYTES));
  let filled = 0;
  for await (const chunk of payload) {
    for (let taken = 0; taken < chunk.length; ) {
      throwIfAborted(signal);
      const part = chunk.subarray(taken, taken + maxSegmentSize - filled);
      if (filled + part.length > buffer.length) {
        const wider = new Uint8Array(Math.min(maxSegmentSize, 2 * (filled + part.length)));
        wider.set(buffer.subarray(0, filled));
        buffer = wider;
      }
      buffer.set(part, filled);
      taken += part.length;
      filled += part.length;
      if (filled === maxSegmentSize) {
        yield buffer;
        filled = 0;
      }
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}
