import { Terminal } from '../errors.ts';
import type { PayloadPlan } from './plan.ts';

/** Some segments of a payload, one after the other. */
export interface SegmentRange {
  readonly firstSegment: number;
  readonly segmentCount: number;
}

/**
 * Which segments one part of a payload holds. A part begins where a segment does, and ends where one does: only so
 * can it be stored, and come again, by itself.
 * @param offset of the part within the payload, bytes
 * @param length of the part, bytes
 * @throws Terminal 400/50028 for a part that does not lie so, 400/110008 for one that reaches beyond the payload
 */
export function planPart(plan: PayloadPlan, offset: number, length: number): SegmentRange {
  const { payloadSize, maxSegmentSize } = plan;
  const end = offset + length;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % maxSegmentSize !== 0) {
    throw misplaced(`it cannot start at byte ${offset}`, maxSegmentSize);
  }
  if (offset >= payloadSize) throw misplaced(`the payload has ${payloadSize} bytes`, maxSegmentSize);
  if (end > payloadSize) {
    throw new Terminal({
      code: 'part-too-long',
      message: `The part ends at byte ${end}, but the payload has ${payloadSize} bytes.`,
      advice: 'Send exactly the payload that the object was created for.',
      gatewayCode: 110008,
    });
  }
  if (length === 0 || (end < payloadSize && end % maxSegmentSize !== 0)) {
    throw misplaced(`it cannot have ${length} bytes`, maxSegmentSize);
  }
  return {
    firstSegment: offset / maxSegmentSize,
    segmentCount: Math.ceil(length / maxSegmentSize),
  };
}

function misplaced(why: string, maxSegmentSize: number): Terminal {
  return new Terminal({
    code: 'part-misplaced',
    message: `The part does not consist of whole segments: ${why}.`,
    advice: `Split the payload at multiples of ${maxSegmentSize} bytes; only the last part may be shorter.`,
    gatewayCode: 50028,
  });
}
