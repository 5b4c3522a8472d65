import { formatJobId } from '#protocols/job/identity';
import { isFromUploadDone, isTerminal } from '#protocols/job/states';
import type { Outcome } from '#runtime/actors/types';
import { isAbandoned } from './abandoning.ts';
import type { JobLease } from './messages.ts';
import { type Findings, recoveryCheck } from './recovery-check.ts';
import { failPayload } from './replicating.ts';
import { applyFinalStatus } from './sealing.ts';
import { logFailure, type Next, pipe, postponeJob, type Work } from './work.ts';

/** Delay with which a second lease on a job in work is returned, ms. */
const IN_WORK_MS = 10_000;
/** Delay with which an entry for an unknown job is returned, ms. */
const UNKNOWN_MS = 600_000;

/**
 * Begins to work under a lease: first checks what has happened to the job since it was last worked on.
 *
 * The life of a lease, as the actor sees it: `runtime/jobs/message-lease.ts` renews the lease until it ends, in one of
 * four ways:
 *
 * - `releaseJob` removes the job from the queue: it has ended, or waits for a client.
 * - `postponeJob` returns it until a failed phase is due again; any node may then get the job.
 * - The actor stops during its work, and `stopped` (`object.ts`) returns the lease: at once if it was asked to stop,
 *   after a short delay if it failed.
 * - No renewal succeeds, and `signal` fires: another node may own the job by now. From then on `record` throws, all
 *   asynchronous work is aborted, and the actor stops without any further effect.
 *
 * Only the first two clear `work.lease`. While it is set the actor has something to do and does not report itself idle.
 */
export async function takeLease(work: Work, lease: JobLease): Promise<Next> {
  const { ctx, ports, log } = work;
  if (work.lease) {
    await lease.postpone(IN_WORK_MS);
    return 'wait';
  }
  if (lease.signal.aborted) return 'wait';
  work.lease = lease;
  work.awaitsLease = false;
  work.isHastened = lease.isHastened ?? false;
  work.rejectsSigned = 0;
  work.sealsSignedAgain = 0;
  const lost = () => {
    if (work.lease !== lease) return;
    work.generation.controller.abort(lease.signal.reason);
    ctx.stopSelf();
  };
  lease.signal.addEventListener('abort', lost, { once: true });
  const context = log.current;
  if (!context) return postponeUnknown(work);
  const isOpen = (isFromUploadDone(context.state) || isAbandoned(work)) && !isTerminal(context.state);
  if (!isOpen || work.storedPayload) return 'advance';
  ctx.say({ doing: 'checking the chain and the stored segments' });
  pipe(
    work,
    (signal) => recoveryCheck(context, ports, signal),
    (outcome) => ({ type: 'recovery-checked', outcome }),
  );
  return 'wait';
}

/**
 * Returns an entry whose job the journal does not know: it belongs to another node, or the journal was lost or restored
 * from an older copy. Its payload was acknowledged, so the entry is kept for the node that has the journal.
 */
async function postponeUnknown(work: Work): Promise<Next> {
  work.ctx.log.error({ job: formatJobId(work.job) }, 'the work queue has a job that is not in the journal');
  await postponeJob(work, Date.now() + UNKNOWN_MS);
  return 'wait';
}

/** Continues the job according to what has happened to it in the meantime. */
export async function afterRecoveryCheck(work: Work, outcome: Outcome<Findings>): Promise<Next> {
  if (!outcome.ok) {
    // The phases repeat these checks, and persist their failures.
    logFailure(work, 'recovery check', outcome.error);
    return 'advance';
  }
  switch (outcome.value.kind) {
    case 'payload-lost':
      return failPayload(work, outcome.value.why);
    case 'sealed':
    case 'gone':
      return applyFinalStatus(work, outcome.value);
    case 'open':
      return 'advance';
  }
}
