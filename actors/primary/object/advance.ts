import type { ChosenGroup } from '#protocols/approval/choose-group';
import type { SealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import { isFromUploadDone, isTerminal, type JobStateName } from '#protocols/job/states';
import type { Outcome } from '#runtime/actors/types';
import type { Lease } from '#runtime/jobs/job-queue';
import { allocate } from '../replicate/allocation.ts';
import { discardUpload, isAbandoned, isAnnouncedByUs } from './abandoning.ts';
import { finish } from './cleaning.ts';
import { type Findings, lookAround } from './look.ts';
import { losePayload, replicate } from './replicating.ts';
import { endSettled, startReject, startSeal, startSigning } from './sealing.ts';
import { logFailure, nextTryAt, park, pipe, record, settle, type Work } from './work.ts';

/** A second lease on a job in work goes back for so long; ms. */
const IN_WORK_MS = 10_000;
/** An entry whose job is unknown is looked at again after so long; ms. */
const UNKNOWN_MS = 600_000;

/** A lease has come: the job is ours to work on. First a look at what has happened meanwhile. */
export async function takeLease(work: Work, lease: Lease): Promise<void> {
  const { ctx, ports, log } = work;
  if (work.lease) return lease.postpone(IN_WORK_MS);
  if (lease.signal.aborted) return;
  work.lease = lease;
  work.awaitsLease = false;
  work.rejectsSigned = 0;
  work.sealsSignedAgain = 0;
  const lost = () => {
    if (work.lease === lease) ctx.stopSelf();
  };
  lease.signal.addEventListener('abort', lost, { once: true });
  const context = log.current;
  if (!context) return parkUnknown(work);
  const isOpen = (isFromUploadDone(context.state) || isAbandoned(work)) && !isTerminal(context.state);
  if (!isOpen || work.storedPayload) return advance(work);
  ctx.say({ doing: 'looking at the chain and at the stored segments' });
  pipe(
    work,
    (signal) => lookAround(context, ports, signal),
    (outcome) => ({ type: 'looked', outcome }),
  );
}

/**
 * An entry whose job the journal does not know: another node's, or the journal was lost or put back from an older
 * copy. Its payload was acknowledged, so the entry stays for whoever has the journal, and the operator is told.
 */
async function parkUnknown(work: Work): Promise<void> {
  work.ctx.log.error(
    { job: formatJobId(work.job) },
    'the work queue holds a job that the journal does not know',
  );
  await park(work, Date.now() + UNKNOWN_MS);
}

export async function afterLook(work: Work, outcome: Outcome<Findings>): Promise<void> {
  if (!outcome.ok) {
    // What could not be seen now the phases find out for themselves, and their failures are persisted.
    logFailure(work, 'look', outcome.error);
    return advance(work);
  }
  switch (outcome.value.kind) {
    case 'payload-lost':
      return losePayload(work, outcome.value.why);
    case 'sealed':
    case 'gone':
      return endSettled(work, outcome.value);
    case 'open':
      return advance(work);
  }
}

/** What to do in a state depends on the state alone: so a recovered actor goes on where it stands (ARCHITECTURE.md#the-job-machine). */
export async function advance(work: Work): Promise<void> {
  const { state, deadlineAt } = work.log.context;
  if (isFromUploadDone(state) && !isTerminal(state) && Date.now() >= deadlineAt) return startReject(work);
  switch (state) {
    case 'UPLOAD_OBJECT_DONE':
      await record(work, { type: 'StartAllocation' });
      return advance(work);
    case 'ALLOC_SECONDARY_DOING':
      return startAllocation(work);
    case 'ALLOC_SECONDARY_DONE':
      await record(work, { type: 'StartReplication' });
      return advance(work);
    case 'REPLICATE_OBJECT_DOING':
      return replicate(work);
    case 'REPLICATE_OBJECT_DONE':
      await record(work, { type: 'StartSigning' });
      return advance(work);
    case 'SIGN_OBJECT_DOING':
      return startSigning(work);
    case 'SIGN_OBJECT_DONE':
      await record(work, { type: 'StartSeal' });
      return advance(work);
    case 'SEAL_OBJECT_DOING':
      return startSeal(work);
    case 'ALLOC_SECONDARY_ERROR':
    case 'REPLICATE_OBJECT_ERROR':
    case 'SIGN_OBJECT_ERROR':
    case 'SEAL_OBJECT_ERROR':
      return tryAgain(work);
    case 'INIT_UNSPECIFIED':
      return settle(work);
    case 'UPLOAD_OBJECT_DOING':
    case 'UPLOAD_OBJECT_ERROR':
      if (!isAbandoned(work)) return settle(work);
      await discardUpload(work);
      return isAnnouncedByUs(work.log.context) ? startReject(work) : settle(work);
    case 'SEAL_OBJECT_DONE':
    case 'OBJECT_DISCONTINUED':
      return finish(work);
  }
}

/** Begins the next try where the failure said, or gives the job back until its time. */
async function tryAgain(work: Work): Promise<void> {
  const { failure } = work.log.context;
  const dueAt = failure?.nextTryAt ?? 0;
  if (dueAt > Date.now()) return park(work, dueAt);
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
  await advance(work);
}

function startAllocation(work: Work): void {
  const { ctx, log, ports } = work;
  ctx.say({ doing: 'getting approvals', waitsFor: 'the members of the virtual groups' });
  const onProgress = (text: string) => ctx.say({ doing: text, waitsFor: 'the other members' });
  pipe(
    work,
    (signal) => allocate(log.context, ports, { signal, onProgress }),
    (outcome) => ({ type: 'allocated', outcome }),
  );
}

export async function endAllocation(work: Work, outcome: Outcome<ChosenGroup>): Promise<void> {
  if (!outcome.ok) return failPhase(work, 'FailAllocation', outcome.error, 'ALLOC_SECONDARY_DOING');
  await record(work, { type: 'CompleteAllocation', ...outcome.value });
  await advance(work);
}

/** Persists why a phase failed and when it is tried again. */
export async function failPhase(
  work: Work,
  type: 'FailAllocation' | 'FailSigning' | 'FailSeal',
  error: SealionError,
  resume: JobStateName,
): Promise<void> {
  logFailure(work, type, error);
  const { code, message, advice } = error;
  const { failedSeals, failedTries } = work.log.context;
  await record(work, {
    type,
    failure: {
      code,
      message,
      ...(advice !== undefined && { advice }),
      resume,
      nextTryAt: nextTryAt(work, error, type === 'FailSeal' ? failedSeals : failedTries),
    },
  });
  await advance(work);
}
