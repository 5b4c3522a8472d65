import { formatJobId } from '#protocols/job/identity';
import { isFromUploadDone, isTerminal } from '#protocols/job/states';
import type { Outcome } from '#runtime/actors/types';
import { isAbandoned } from './abandoning.ts';
import type { JobLease } from './messages.ts';
import { type Findings, recoveryCheck } from './recovery-check.ts';
import { losePayload } from './replicating.ts';
import { endSettled } from './sealing.ts';
import { logFailure, type Next, pipe, postponeJob, type Work } from './work.ts';

/** A second lease on a job in work goes back for so long; ms. */
const IN_WORK_MS = 10_000;
/** An entry whose job is unknown is looked at again after so long; ms. */
const UNKNOWN_MS = 600_000;

/**
 * A lease has come: the job is ours to work on. First a check of what has happened meanwhile.
 *
 * The life of a lease, as the actor sees it: the work queue renews it behind our back for as long as we hold it. It
 * ends in one of four ways. `releaseJob` lets the queue forget the job, which has ended or waits for a client.
 * `postponeJob` gives it back until a failed phase is due again; the job may then come to any node. When the actor
 * stops in the middle, its `stopped` gives the lease back after a short time. And when the queue could not renew it,
 * `signal` fires: another node may have the job by now, so `record` refuses from that moment on, all work beside the
 * mailbox ends, and the actor stops without touching anything more. Only the first two clear `work.lease`; while it
 * is there the actor has something to do, and does not report itself idle.
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
  work.rejectsSigned = 0;
  work.sealsSignedAgain = 0;
  const lost = () => {
    if (work.lease !== lease) return;
    work.effort.controller.abort(lease.signal.reason);
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
 * An entry whose job the journal does not know: another node's, or the journal was lost or put back from an older
 * copy. Its payload was acknowledged, so the entry stays for whoever has the journal, and the log tells the operator.
 */
async function postponeUnknown(work: Work): Promise<Next> {
  work.ctx.log.error({ job: formatJobId(work.job) }, 'the work queue has a job that is not in the journal');
  await postponeJob(work, Date.now() + UNKNOWN_MS);
  return 'wait';
}

/** What has happened to the job while nobody worked on it decides where it goes on. */
export async function afterRecoveryCheck(work: Work, outcome: Outcome<Findings>): Promise<Next> {
  if (!outcome.ok) {
    // What could not be seen now the phases find out for themselves, and their failures are persisted.
    logFailure(work, 'recovery check', outcome.error);
    return 'advance';
  }
  switch (outcome.value.kind) {
    case 'payload-lost':
      return losePayload(work, outcome.value.why);
    case 'sealed':
    case 'gone':
      return endSettled(work, outcome.value);
    case 'open':
      return 'advance';
  }
}
