import { backoffMs } from '../../protocols/job/backoff.ts';
import type { SignedTransaction } from '../../protocols/job/context.ts';
import type { Outcome } from '../../runtime/actors/types.ts';
import type { RejectResult } from '../rejection.ts';
import { rejectOnChain, signReject } from '../rejection.ts';
import type { SealResult } from '../seal-on-chain.ts';
import { type SealerMessage, sealer } from '../sealer.ts';
import { advance, failPhase } from './advancing.ts';
import { logFailure, park, pipeLeased, type Work } from './work.ts';

/** The sealer signs or seals, as the job's state says. */
export function startSealer(work: Work, type: 'sign' | 'seal'): void {
  const { ctx, ports, log } = work;
  work.sealer ??= ctx.spawn('sealer', sealer({ ports, parent: ctx.self }));
  ctx.say({ doing: type === 'sign' ? 'having the seal signed' : 'sealing on chain', waitsFor: 'the sealer' });
  const message: SealerMessage = { type, context: log.context };
  work.sealer.tell(message);
}

/** The signed bytes are persisted before anything is broadcast. */
export async function endSigning(work: Work, outcome: Outcome<SignedTransaction>): Promise<void> {
  if (!outcome.ok) return failPhase(work, 'FailSigning', outcome.error, 'SIGN_OBJECT_DOING');
  await work.log.record({ type: 'CompleteSigning', transaction: outcome.value });
  await advance(work);
}

export async function endSeal(work: Work, outcome: Outcome<SealResult>): Promise<void> {
  const { log } = work;
  if (!outcome.ok) return failPhase(work, 'FailSeal', outcome.error, 'SEAL_OBJECT_DOING');
  const result = outcome.value;
  switch (result.kind) {
    case 'sealed': {
      const { kind: _kind, ...facts } = result;
      await log.record({ type: 'CompleteSeal', ...facts });
      break;
    }
    case 'gone':
      await log.record({ type: 'Discontinue', reason: 'The object is gone from the chain.' });
      break;
    case 'refused': {
      const { code, message, resume, excludeGvg } = result;
      const gvgId = log.context.allocation?.gvgId;
      const nextTryAt = Date.now() + backoffMs(log.context.failedTries + 1, Math.random());
      const exclude = excludeGvg && gvgId !== undefined ? { excludeGvgId: gvgId } : {};
      work.ctx.log.warn({ code, resume }, message);
      await log.record({ type: 'FailSeal', failure: { code, message, resume, nextTryAt, ...exclude } });
    }
  }
  await advance(work);
}

/** Past its deadline the object is rejected on chain, so that its owner gets the locked fee back. */
export function startReject(work: Work): void {
  const { ports, log } = work;
  const { reject } = log.context;
  work.ctx.say({ doing: 'rejecting the object on chain: its deadline has passed', waitsFor: 'the chain' });
  if (reject) {
    pipeLeased(
      work,
      (signal) => rejectOnChain(log.context, reject, ports, signal),
      (outcome) => ({ type: 'rejected', outcome }),
    );
  } else {
    pipeLeased(
      work,
      (signal) => signReject(log.context, ports, signal),
      (outcome) => ({ type: 'reject-signed', outcome }),
    );
  }
}

export async function endRejectSigning(work: Work, outcome: Outcome<SignedTransaction>): Promise<void> {
  if (!outcome.ok) return retryReject(work, outcome.error);
  await work.log.record({ type: 'SignReject', transaction: outcome.value });
  startReject(work);
}

export async function endReject(work: Work, outcome: Outcome<RejectResult>): Promise<void> {
  if (!outcome.ok) return retryReject(work, outcome.error);
  await work.log.record(
    outcome.value === 'sealed'
      ? { type: 'CompleteSeal' }
      : { type: 'Discontinue', reason: 'It was not sealed before its deadline, and was rejected on chain.' },
  );
  await advance(work);
}

/** Longer than one wait for a block, so that a reject is not signed for every look. */
const REJECT_RETRY_MS = 60_000;

function retryReject(work: Work, error: unknown): Promise<void> {
  logFailure(work, 'reject', error);
  return park(work, Date.now() + REJECT_RETRY_MS);
}
