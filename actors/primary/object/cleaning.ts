import { throwIfAborted } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import { planPayload } from '#protocols/payload/plan';
import { rememberSegments } from '../../ledger/segment-record.ts';
import { releaseJob, type Work } from './work.ts';

/**
 * Removes what a job that has failed leaves, then lets the work queue forget it. A version that an update has replaced
 * stays for its readers: the caretaker finds it (`care/space-round.ts`).
 */
export async function finish(work: Work): Promise<void> {
  const { state } = work.log.context;
  if (state === 'OBJECT_DISCONTINUED') await discardOwnSegments(work);
  if (state === 'SEAL_OBJECT_DONE') await rememberSegments(work.log.context, work.ports.journal.ledger);
  await releaseJob(work);
}

/** Removes the segments of a payload that was given up: as many as its content has, which may not be the job's now. */
export async function discardOwnSegments(
  work: Work,
  { id, object }: Pick<JobContext, 'id' | 'object'> = work.log.context,
): Promise<void> {
  await discard(work, id, planPayload(object).segmentCount);
}

/**
 * Removes a job's first `count` segments, the last one first, so that a removal that breaks off is found again by
 * what is left. Each goes only while the event that justifies it is still the job's last: a new owner may have new
 * segments.
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
