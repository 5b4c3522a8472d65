import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import { planPayload } from '#protocols/payload/plan';
import type { TreeNode } from '#runtime/actors/types';

/**
 * How fast a column is being sent on average since its replicator began to send, bytes per second; undefined while it
 * does not send. @param now unix ms
 */
export function movingRate(
  object: JobContext['object'],
  activity: TreeNode['activity'],
  now: number,
): number | undefined {
  const { progress, since = now } = activity ?? {};
  if (progress?.from === undefined) return undefined;
  const { pieceLength } = planPayload(object);
  let bytes = 0;
  for (let index = progress.from; index < progress.done; index += 1) bytes += pieceLength(index);
  return perSecond(bytes, now - since);
}

/** How fast a column came to its secondary, from the begin of the replication that completed it. */
export function storedRate(
  object: JobContext['object'],
  events: readonly JobEvent[],
  completedAt: number,
): number | undefined {
  const begin = events.findLast(({ type, at }) => type === 'ReplicationStarted' && at <= completedAt);
  return begin && perSecond(planPayload(object).columnLength, completedAt - begin.at);
}

function perSecond(bytes: number, ms: number): number | undefined {
  return ms > 0 ? Math.round((bytes * 1_000) / ms) : undefined;
}
