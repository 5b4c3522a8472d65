import type { Hex } from '../greenfield/types.ts';
import { planPayload } from '../payload/plan.ts';
import type { JobContext } from './context.ts';

/**
 * Bytes from the start of the payload that are stored without a gap, counted in whole segments: where a client goes
 * on with an upload in parts (protocols/greenfield/README.md#uploads, `?upload-context`). 0 when nothing is stored that could be kept.
 */
export function resumeOffset({ object, storedSegments, payload }: JobContext): number {
  if (payload) return payload.segmentChecksums.length * object.maxSegmentSize;
  return firstGap(storedSegments ?? {}) * object.maxSegmentSize;
}

/**
 * The checksums of the whole payload, in order, when one more part completes it; else the offset in bytes of the
 * first segment that is missing.
 */
export function completedBy(
  { object, storedSegments }: JobContext,
  part: { readonly firstSegment: number; readonly checksums: readonly Hex[] },
): { readonly segmentChecksums: readonly Hex[] } | { readonly missingFrom: number } {
  const { segmentCount } = planPayload(object);
  const added = part.checksums.map((checksum, i) => [part.firstSegment + i, checksum]);
  const segments: Readonly<Record<number, Hex>> = { ...storedSegments, ...Object.fromEntries(added) };
  const gap = firstGap(segments);
  if (gap < segmentCount) return { missingFrom: gap * object.maxSegmentSize };
  // In the order of the segments: an object's integer keys rise.
  return { segmentChecksums: Object.values(segments) };
}

function firstGap(segments: Readonly<Record<number, Hex>>): number {
  let index = 0;
  while (segments[index] !== undefined) index += 1;
  return index;
}
