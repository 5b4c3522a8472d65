import { PRIMARY } from '#protocols/integrity/checksums';
import type { JobId } from '#protocols/job/identity';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import type { Ref } from '#runtime/actors/types';
import type { Recovered } from './recover.ts';
import type { RestorePiece, RestoreSegment } from './restorer.ts';

/** The actors that own stored data; nobody else writes it. */
export interface Owners {
  readonly objects: Ref<RestoreSegment>;
  readonly receivers: Ref<RestorePiece>;
}

/** A segment of the primary, or a piece of our column. */
export interface Place {
  readonly job: JobId;
  /** `PRIMARY`, or the index of the column. */
  readonly role: number;
  readonly segmentIndex: number;
}

export function keyOf({ job, role, segmentIndex }: Place): string {
  return role === PRIMARY ? segmentKey(job, segmentIndex) : pieceKey(job, segmentIndex, role);
}

/**
 * Has the owner of a place write restored bytes back.
 * @param because why they had to be restored, for the log and the ledger
 * @throws what the owner answers; Cancelled
 */
export async function writeBack(
  { objects, receivers }: Owners,
  place: Place,
  recovered: Recovered,
  because: string,
  signal: AbortSignal,
): Promise<void> {
  const { job, role, segmentIndex } = place;
  const restoration = { key: keyOf(place), ...recovered, because };
  if (role === PRIMARY) {
    await objects.ask<void>((reply) => ({ type: 'restore-segment', job, restoration, reply }), { signal });
    return;
  }
  const column = { job, redundancyIndex: role };
  await receivers.ask<void>(
    (reply) => ({ type: 'restore-piece', column, segmentIndex, restoration, reply }),
    { signal },
  );
}
