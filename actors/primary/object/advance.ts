import { isFromUploadDone, isTerminal } from '#protocols/job/states';
import { discardUpload, isAbandoned, isAnnouncedByUs } from './abandoning.ts';
import { startAllocation } from './allocating.ts';
import { finish } from './cleaning.ts';
import { replicate } from './replicating.ts';
import { startReject, startSeal, startSigning } from './sealing.ts';
import { type Next, postponeJob, record, releaseJob, type Work } from './work.ts';

/**
 * Takes one step. The step depends on the state alone, so a recovered actor resumes where the job stands
 * (ARCHITECTURE.md#the-job-machine). No phase calls this function: each returns whether another step is due, and
 * `object.ts` takes steps until one has to wait.
 */
export async function advance(work: Work): Promise<Next> {
  const { state, deadlineAt } = work.log.context;
  if (isFromUploadDone(state) && !isTerminal(state) && Date.now() >= deadlineAt) return startReject(work);
  switch (state) {
    case 'UPLOAD_OBJECT_DONE':
      await record(work, { type: 'StartAllocation' });
      return 'advance';
    case 'ALLOC_SECONDARY_DOING':
      return startAllocation(work);
    case 'ALLOC_SECONDARY_DONE':
      await record(work, { type: 'StartReplication' });
      return 'advance';
    case 'REPLICATE_OBJECT_DOING':
      return replicate(work);
    case 'REPLICATE_OBJECT_DONE':
      await record(work, { type: 'StartSigning' });
      return 'advance';
    case 'SIGN_OBJECT_DOING':
      return startSigning(work);
    case 'SIGN_OBJECT_DONE':
      await record(work, { type: 'StartSeal' });
      return 'advance';
    case 'SEAL_OBJECT_DOING':
      return startSeal(work);
    case 'ALLOC_SECONDARY_ERROR':
    case 'REPLICATE_OBJECT_ERROR':
    case 'SIGN_OBJECT_ERROR':
    case 'SEAL_OBJECT_ERROR':
      return tryAgain(work);
    case 'INIT_UNSPECIFIED':
      await releaseJob(work);
      return 'wait';
    case 'UPLOAD_OBJECT_DOING':
    case 'UPLOAD_OBJECT_ERROR':
      if (isAbandoned(work)) {
        await discardUpload(work);
        if (isAnnouncedByUs(work.log.context)) return startReject(work);
      }
      await releaseJob(work);
      return 'wait';
    case 'SEAL_OBJECT_DONE':
    case 'OBJECT_DISCONTINUED':
      await finish(work);
      return 'wait';
  }
}

/** Begins the next try in the state that the failure names, or returns the job to the queue until then. */
async function tryAgain(work: Work): Promise<Next> {
  const { failure } = work.log.context;
  const dueAt = failure?.nextTryAt ?? 0;
  const isDue = dueAt <= Date.now() || work.isHastened;
  work.isHastened = false;
  if (!isDue) {
    await postponeJob(work, dueAt);
    return 'wait';
  }
  switch (failure?.resume) {
    case 'REPLICATE_OBJECT_DOING':
      await record(work, { type: 'StartReplication' });
      break;
    case 'SIGN_OBJECT_DOING':
      await record(work, { type: 'StartSigning' });
      break;
    case 'SEAL_OBJECT_DOING':
      await record(work, { type: 'StartSeal' });
      break;
    default: {
      const excludeGvgId = failure?.excludeGvgId;
      await record(work, { type: 'StartAllocation', ...(excludeGvgId !== undefined && { excludeGvgId }) });
    }
  }
  return 'advance';
}
