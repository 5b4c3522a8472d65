import { throwIfAborted } from '../../protocols/errors.ts';
import type { JobContext } from '../../protocols/job/context.ts';
import type { JobId } from '../../protocols/job/identity.ts';
import { segmentKey } from '../../protocols/payload/keys.ts';
import { planPayload } from '../../protocols/payload/plan.ts';
import { rememberSegments } from '../repair/segment-record.ts';
import { settle, type Work } from './work.ts';

/** Removes what nobody needs after the end of the job, then lets the work queue forget it. */
export async function finish(work: Work): Promise<void> {
  const { state, object, id } = work.log.context;
  if (state === 'OBJECT_DISCONTINUED') await discardOwnSegments(work);
  if (state === 'SEAL_OBJECT_DONE') await rememberSegments(work.log.context, work.ports.journal.ledger);
  if (state === 'SEAL_OBJECT_DONE' && object.isUpdate) {
    const replaced = { objectId: id.objectId, version: id.version - 1 };
    await discard(work, replaced, await storedSegments(work, replaced));
  }
  await settle(work);
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
  ctx.say({ doing: 'removing segments that are needed no more', waitsFor: 'the PieceStore' });
  for (let index = count - 1; index >= 0; index -= 1) {
    throwIfAborted(work.lease?.signal);
    await log.confirm();
    await ports.pieces.delete(segmentKey(job, index), { signal: ctx.signal });
  }
}

async function storedSegments({ ports, ctx }: Work, job: JobId): Promise<number> {
  let count = 0;
  while (await ports.pieces.stat(segmentKey(job, count), { signal: ctx.signal })) count += 1;
  return count;
}
