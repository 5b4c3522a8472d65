import type { SealionError } from '../../protocols/errors.ts';
import { backoffMs } from '../../protocols/job/backoff.ts';
import { isFromUploadDone, isTerminal, type JobStateName } from '../../protocols/job/states.ts';
import type { Outcome } from '../../runtime/actors/types.ts';
import type { Lease } from '../../runtime/jobs/job-queue.ts';
import { type Allocation, allocate } from '../allocation.ts';
import { type ChainView, lookAround } from './chain-view.ts';
import { losePayload, replicate } from './replicating.ts';
import { startReject, startSealer } from './sealing.ts';
import { logFailure, park, pipeLeased, settle, type Work } from './work.ts';

/** A lease has come: the job is ours to work on. First a look at what has happened meanwhile. */
export async function takeLease(work: Work, lease: Lease): Promise<void> {
  const { ctx, ports, log } = work;
  if (work.lease) return lease.postpone(10_000);
  work.lease = lease;
  lease.signal.addEventListener('abort', () => ctx.self.tell({ type: 'lease-lost' }), { once: true });
  const context = log.current;
  if (!context || isTerminal(context.state)) return settle(work);
  ctx.say({ doing: 'looking at the chain and the stored segments' });
  pipeLeased(
    work,
    (signal) => lookAround(context, ports, signal),
    (outcome) => ({ type: 'looked', outcome }),
  );
}

export async function afterLook(work: Work, outcome: Outcome<ChainView>): Promise<void> {
  const { log } = work;
  if (!outcome.ok) {
    logFailure(work, 'look', outcome.error);
    return park(work, Date.now() + backoffMs(2, Math.random()));
  }
  const view = outcome.value;
  if (view.kind === 'payload-lost')
    return losePayload(work, `segment ${view.segmentIndex} is not as stored.`);
  if (view.kind === 'sealed') {
    const { kind: _kind, ...facts } = view;
    await log.record({ type: 'CompleteSeal', ...facts });
  } else if (view.kind === 'gone') {
    await log.record({ type: 'Discontinue', reason: 'The object is gone from the chain.' });
  }
  await advance(work);
}

/** What to do in a state depends on the state alone: so a recovered actor goes on where it stands (design §3). */
export async function advance(work: Work): Promise<void> {
  const { log } = work;
  const { state, deadlineAt } = log.context;
  if (isFromUploadDone(state) && !isTerminal(state) && Date.now() >= deadlineAt) return startReject(work);
  switch (state) {
    case 'UPLOAD_OBJECT_DONE':
      await log.record({ type: 'StartAllocation' });
      return advance(work);
    case 'ALLOC_SECONDARY_DOING':
      return startAllocation(work);
    case 'ALLOC_SECONDARY_DONE':
      await log.record({ type: 'StartReplication' });
      return advance(work);
    case 'REPLICATE_OBJECT_DOING':
      return replicate(work);
    case 'REPLICATE_OBJECT_DONE':
      await log.record({ type: 'StartSigning' });
      return advance(work);
    case 'SIGN_OBJECT_DOING':
      return startSealer(work, 'sign');
    case 'SIGN_OBJECT_DONE':
      await log.record({ type: 'StartSeal' });
      return advance(work);
    case 'SEAL_OBJECT_DOING':
      return startSealer(work, 'seal');
    case 'ALLOC_SECONDARY_ERROR':
    case 'REPLICATE_OBJECT_ERROR':
    case 'SIGN_OBJECT_ERROR':
    case 'SEAL_OBJECT_ERROR':
      return tryAgain(work);
    case 'INIT_UNSPECIFIED':
    case 'UPLOAD_OBJECT_DOING':
    case 'UPLOAD_OBJECT_ERROR':
    case 'SEAL_OBJECT_DONE':
    case 'OBJECT_DISCONTINUED':
      return settle(work);
  }
}

/** Begins the next try where the failure said, or gives the job back until its time. */
async function tryAgain(work: Work): Promise<void> {
  const { failure } = work.log.context;
  const nextTryAt = failure?.nextTryAt ?? 0;
  if (nextTryAt > Date.now()) return park(work, nextTryAt);
  switch (failure?.resume) {
    case 'REPLICATE_OBJECT_DOING':
      await work.log.record({ type: 'StartReplication' });
      break;
    case 'SIGN_OBJECT_DOING':
      await work.log.record({ type: 'StartSigning' });
      break;
    case 'SEAL_OBJECT_DOING':
      await work.log.record({ type: 'StartSeal' });
      break;
    default: {
      const exclude = failure?.excludeGvgId;
      await work.log.record({
        type: 'StartAllocation',
        ...(exclude === undefined ? {} : { excludeGvgId: exclude }),
      });
    }
  }
  await advance(work);
}

function startAllocation(work: Work): void {
  const { ctx, log, ports } = work;
  ctx.say({ doing: 'getting approvals', waitsFor: 'the members of the virtual groups' });
  const onProgress = (text: string) => ctx.say({ doing: text, waitsFor: 'the other members' });
  pipeLeased(
    work,
    (signal) => allocate(log.context, ports, { signal, onProgress }),
    (outcome) => ({ type: 'allocated', outcome }),
  );
}

export async function endAllocation(work: Work, outcome: Outcome<Allocation>): Promise<void> {
  if (!outcome.ok) return failPhase(work, 'FailAllocation', outcome.error, 'ALLOC_SECONDARY_DOING');
  await work.log.record({ type: 'CompleteAllocation', ...outcome.value });
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
  const delay = backoffMs(work.log.context.failedTries + 1, Math.random());
  const nextTryAt = Date.now() + delay;
  await work.log.record({
    type,
    failure: { code, message, ...(advice ? { advice } : {}), resume, nextTryAt },
  });
  await advance(work);
}
