import type { SealionError } from '#protocols/errors';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { backoffMs } from '#protocols/job/backoff';
import { formatJobId } from '#protocols/job/identity';
import { nextStates } from '#protocols/job/transitions';
import type { Outcome, Ref } from '#runtime/actors/types';
import { type FinalStatus, finalStatus } from '../seal/chain-status.ts';
import { type RejectResult, rejectOnChain, signReject } from '../seal/reject-on-chain.ts';
import type { SealResult, Wait } from '../seal/seal-on-chain.ts';
import { type SealerMessage, sealer } from '../seal/sealer.ts';
import {
  failPhase,
  logFailure,
  type Next,
  pipe,
  postponeJob,
  record,
  releaseJob,
  type Work,
} from './work.ts';

export function startSigning(work: Work): Next {
  const { context } = work.log;
  work.ctx.say({ doing: 'waiting for the signature of the seal', waitsFor: 'the sealer' });
  work.lease?.freeSlot?.();
  pipe(
    work,
    (signal) =>
      sealerOf(work).ask<SignedTransaction>((reply) => ({ type: 'sign', context, reply }), { signal }),
    (outcome) => ({ type: 'signed', outcome }),
  );
  return 'wait';
}

/** Persists the signed bytes, before anything is broadcast. */
export async function endSigning(work: Work, outcome: Outcome<SignedTransaction>): Promise<Next> {
  if (!outcome.ok) return failPhase(work, 'FailSigning', outcome.error, 'SIGN_OBJECT_DOING');
  await record(work, { type: 'CompleteSigning', transaction: outcome.value });
  work.newSeal = outcome.value.hash;
  return 'advance';
}

export function startSeal(work: Work): Next {
  const { context } = work.log;
  work.ctx.say({ doing: 'sealing on chain', waitsFor: 'the sealer' });
  work.lease?.freeSlot?.();
  const isNew = work.newSeal !== undefined && work.newSeal === context.seal?.hash;
  delete work.newSeal;
  pipe(
    work,
    (signal) =>
      sealerOf(work).ask<SealResult>((reply) => ({ type: 'seal', context, isNew, reply }), { signal }),
    (outcome) => ({ type: 'seal-ended', outcome }),
  );
  return 'wait';
}

export async function endSeal(work: Work, outcome: Outcome<SealResult>): Promise<Next> {
  if (!outcome.ok) return failPhase(work, 'FailSeal', outcome.error, 'SEAL_OBJECT_DOING');
  const result = outcome.value;
  switch (result.kind) {
    case 'sealed':
      return completeSeal(work, result);
    case 'gone':
      return discontinue(work, result.because);
    case 'refused': {
      const { kind: _, wait, ...facts } = result;
      const gvgId = work.log.context.allocation?.gvgId;
      const exclude = facts.resume === 'ALLOC_SECONDARY_DOING' &&
        gvgId !== undefined && { excludeGvgId: gvgId };
      work.ctx.log.warn({ ...namesOf(work), code: facts.code, resume: facts.resume }, facts.message);
      const failure = { ...facts, nextTryAt: nextSealAt(work, wait), ...exclude };
      await record(work, { type: 'FailSeal', failure });
      return 'advance';
    }
  }
}

/** Number of new signatures under one lease that are made without a delay when the chain requires them. */
const SIGNATURES_AT_ONCE = 2;

/** When a refused seal is tried again, unix ms. */
function nextSealAt(work: Work, wait: Wait): number {
  const { timing } = work.ports;
  if (wait === 'none' && work.sealsSignedAgain < SIGNATURES_AT_ONCE) {
    work.sealsSignedAgain += 1;
    return Date.now();
  }
  const limits = wait === 'payment' ? timing.paymentBackoff : timing.backoff;
  return Date.now() + backoffMs(work.log.context.failedSeals + 1, Math.random(), limits);
}

/** The object is sealed on chain. */
export async function completeSeal(
  work: Work,
  sealed: { readonly kind: 'sealed'; readonly gvgId?: number; readonly transactionHash?: string },
): Promise<Next> {
  const { kind: _, ...facts } = sealed;
  await record(work, { type: 'CompleteSeal', ...facts });
  work.ctx.log.info({ ...namesOf(work), ...facts }, 'sealed an object');
  return 'advance';
}

/** Ends the job as the chain says: it no longer waits for the content. */
export async function applyFinalStatus(work: Work, found: FinalStatus): Promise<Next> {
  if (found.kind === 'gone') return discontinue(work, found.because);
  const canBeOurs = nextStates(work.log.context.state).includes('SEAL_OBJECT_DONE');
  if (canBeOurs) return completeSeal(work, found);
  await releaseJob(work);
  return 'wait';
}

/** The chain will never seal the content. */
export async function discontinue(work: Work, reason: string): Promise<Next> {
  await record(work, { type: 'Discontinue', reason });
  work.ctx.log.warn({ ...namesOf(work), reason }, 'a job ended without a seal');
  return 'advance';
}

/** Rejects an object past its deadline on chain, so that its owner gets the locked fee back. */
export function startReject(work: Work): Next {
  const { ports, log, ctx } = work;
  const { context } = log;
  const { reject } = context;
  if (!reject) return signAReject(work);
  ctx.say({ doing: 'rejecting the object on chain: its deadline has passed', waitsFor: 'the chain' });
  pipe(
    work,
    (signal) => rejectOnChain(context, reject, ports, { signal, say: (activity) => ctx.say(activity) }),
    (outcome) => ({ type: 'reject-ended', outcome }),
  );
  return 'wait';
}

/** Checks the chain first: other content announced under the same name must not be rejected for this deadline. */
function signAReject(work: Work): Next {
  const { ports, log, ctx } = work;
  ctx.say({
    doing: 'waiting for the signature of the reject: the deadline has passed',
    waitsFor: 'the signer',
  });
  pipe(
    work,
    async (signal) =>
      (await finalStatus(log.context, ports.chain, signal)) ?? signReject(log.context, ports, signal),
    (outcome) => ({ type: 'reject-signed', outcome }),
  );
  return 'wait';
}

/** Persists the signed reject, before it is broadcast. */
export async function endRejectSigning(
  work: Work,
  outcome: Outcome<SignedTransaction | FinalStatus>,
): Promise<Next> {
  if (!outcome.ok) return retryReject(work, outcome.error);
  if ('kind' in outcome.value) return applyFinalStatus(work, outcome.value);
  await record(work, { type: 'SignReject', transaction: outcome.value });
  work.rejectsSigned += 1;
  return startReject(work);
}

export async function endReject(work: Work, outcome: Outcome<RejectResult>): Promise<Next> {
  if (!outcome.ok) return retryReject(work, outcome.error);
  const result = outcome.value;
  switch (result.kind) {
    case 'sealed':
      return completeSeal(work, result);
    case 'rejected':
      return discontinue(work, 'The object was not sealed before its deadline, and was rejected on chain.');
    case 'refused':
      if (work.rejectsSigned >= SIGNATURES[result.signAgain]) return retryReject(work, result.error);
      return signAReject(work);
  }
}

/** Limits per lease. A reject that fails in a block costs a fee, so a growing delay follows. */
const SIGNATURES = { never: 0, once: 1, 'at-once': SIGNATURES_AT_ONCE } as const;

async function retryReject(work: Work, error: SealionError): Promise<Next> {
  logFailure(work, 'reject', error);
  const { code, message, advice } = error;
  const rejectFailure = { code, message, ...(advice !== undefined && { advice }) };
  await record(work, { type: 'FailReject', rejectFailure });
  const tries = work.lease?.delivery ?? 1;
  await postponeJob(work, Date.now() + backoffMs(tries, Math.random(), work.ports.timing.rejectBackoff));
  return 'wait';
}

function namesOf({ job, log }: Work): object {
  const { bucketName, objectName } = log.context.object;
  return { job: formatJobId(job), bucket: bucketName, object: objectName };
}

function sealerOf({ ctx, ports }: Work): Ref<SealerMessage> {
  return ctx.child<SealerMessage>('sealer') ?? ctx.spawn('sealer', sealer(ports));
}
