import { validShardCounts } from '../erasure/matrix.ts';
import { Terminal } from '../errors.ts';
import type { Redundancy } from '../greenfield/types.ts';

/**
 * What decides how a payload is cut up. A `JobObject` and a `ColumnOffer` have these fields, and so has
 * `{ ...objectInfo, ...storageParams }`.
 */
export interface PayloadShape {
  /** Bytes; 0 is an object that the chain seals by itself. */
  readonly payloadSize: number;
  /** Bytes. */
  readonly maxSegmentSize: number;
  readonly redundancy: Redundancy;
  readonly dataChunks: number;
  readonly parityChunks: number;
}

/** One segment's place in the payload; all in bytes but the index. */
export interface Segment {
  readonly index: number;
  readonly offset: number;
  readonly length: number;
}

/** How one payload is cut into segments and columns (protocols/payload/README.md#segments-and-pieces). */
export interface PayloadPlan extends PayloadShape {
  /** 0 for an empty payload: its integrity hash is the SHA-256 of nothing. */
  readonly segmentCount: number;
  /** Columns, one for each secondary: data + parity, with replicas too. */
  readonly columnCount: number;
  /** Bytes of one column, the sum of its pieces; the same for every column. */
  readonly columnLength: number;
  /** @throws Terminal `bad-segment-index` */
  segment(index: number): Segment;
  /**
   * Bytes that one secondary holds of a segment: ceil(length / data) with EC, the whole segment with REPLICA.
   * @throws Terminal `bad-segment-index`
   */
  pieceLength(index: number): number;
}

/** @throws Terminal `bad-payload-shape` when a size or a count cannot be */
export function planPayload(shape: PayloadShape): PayloadPlan {
  check(shape);
  const { payloadSize, maxSegmentSize, redundancy, dataChunks, parityChunks } = shape;
  const segmentCount = Math.ceil(payloadSize / maxSegmentSize);
  const pieceOf = (length: number) => (redundancy === 'EC' ? Math.ceil(length / dataChunks) : length);
  const segment = (index: number): Segment => {
    if (!Number.isInteger(index) || index < 0 || index >= segmentCount) {
      throw new Terminal({
        code: 'bad-segment-index',
        message: `Segment ${index} does not exist: the payload has ${segmentCount}.`,
      });
    }
    const offset = index * maxSegmentSize;
    return { index, offset, length: Math.min(maxSegmentSize, payloadSize - offset) };
  };
  const full = Math.floor(payloadSize / maxSegmentSize);
  return {
    payloadSize,
    maxSegmentSize,
    redundancy,
    dataChunks,
    parityChunks,
    segmentCount,
    columnCount: dataChunks + parityChunks,
    columnLength: full * pieceOf(maxSegmentSize) + pieceOf(payloadSize % maxSegmentSize),
    segment,
    pieceLength: (index) => pieceOf(segment(index).length),
  };
}

function check(shape: PayloadShape): void {
  const { payloadSize, maxSegmentSize, dataChunks, parityChunks } = shape;
  const wrong =
    !Number.isSafeInteger(payloadSize) || payloadSize < 0
      ? `payload size ${payloadSize}`
      : !Number.isSafeInteger(maxSegmentSize) || maxSegmentSize < 1
        ? `segment size ${maxSegmentSize}`
        : !validShardCounts(dataChunks, parityChunks)
          ? `${dataChunks} data and ${parityChunks} parity chunks`
          : undefined;
  if (wrong) {
    throw new Terminal({ code: 'bad-payload-shape', message: `A payload cannot be split with ${wrong}.` });
  }
}
