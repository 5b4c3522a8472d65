import { throwIfAborted } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import { planPayload } from '#protocols/payload/plan';
import { rememberSegments } from '../../ledger/segment-record.ts';
import { releaseJob, type Work } from './work.ts';

/**
 * Deletes what a failed job leaves, then removes the job from the work queue. A version that an update has replaced is
 * kept for its readers, until the caretaker deletes it (`caretaker/space-round.ts`).
 */
export async function finish(work: Work): Promise<void> {
  const { state } = work.log.context;
  if (state === 'OBJECT_DISCONTINUED') await discardOwnSegments(work);
  if (state === 'SEAL_OBJECT_DONE') await rememberSegments(work.log.context, work.ports.journal.ledger);
  await releaseJob(work);
}

/**
 * Deletes the segments of a discarded payload. Their number is that of its content, which may no longer be the job's.
 */
export async function discardOwnSegments(
  work: Work,
  { id, object }: Pick<JobContext, 'id' | 'object'> = work.log.context,
): Promise<void> {
  await discard(work, id, planPayload(object).segmentCount);
}

/**
 * Deletes a job's first `count` segments, the last one first, so that after an interruption the remaining ones are
 * found again. Each is deleted only while the event that justifies it is still the job's last, since a new owner may
 * have stored new segments.
 */
async function discard(work: Work, job: JobId, count: number): Promise<void> {
  const { log, ctx, ports } = work;
  ctx.say({ doing: 'removing segments that are no longer needed', waitsFor: 'the PieceStore' });
  for (let index = count - 1; index >= 0; index -= 1) {
    throwIfAborted(work.lease?.signal);
    await log.confirm();
    await ports.pieces.delete(segmentKey(job, index), { signal: ctx.signal });
  }
}
