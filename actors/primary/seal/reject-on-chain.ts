import { Retryable } from '#protocols/errors';
import type { JobContext, SignedTransaction } from '#protocols/job/context';
import { faultOf } from '#protocols/sealing/seal-refusal';
import type { Activity } from '#runtime/actors/types';
import { refusalText, type SubmitPorts, submitAndConfirm } from '../../chain/submit-and-confirm.ts';
import { settledStatus } from './chain-status.ts';

/** How the end of an overdue job looks on chain. */
export type RejectResult =
  | { readonly kind: 'rejected' }
  | { readonly kind: 'sealed'; readonly gvgId?: number }
  | {
      readonly kind: 'refused';
      readonly error: Retryable;
      /** `never`: the same bytes may succeed later; `at-once`: all that is wrong is the signature. */
      readonly signAgain: 'never' | 'once' | 'at-once';
    };

/** Has a reject signed with the next sequence. Whichever of it and an earlier seal is included first voids the other. */
export function signReject(
  context: JobContext,
  { signer }: Pick<SubmitPorts, 'signer'>,
  signal: AbortSignal,
): Promise<SignedTransaction> {
  const { bucketName, objectName } = context.object;
  return signer.ask<SignedTransaction>(
    (reply) => ({ type: 'sign', order: { kind: 'reject', bucketName, objectName }, reply }),
    { signal },
  );
}

/**
 * Broadcasts the signed reject and watches until the object is gone, or turns out sealed after all.
 * @throws Retryable `reject-timeout`
 */
export async function rejectOnChain(
  context: JobContext,
  transaction: SignedTransaction,
  ports: SubmitPorts,
  options: { readonly signal: AbortSignal; readonly say: (activity: Activity) => void },
): Promise<RejectResult> {
  const settled = await submitAndConfirm(transaction, ports, {
    what: 'reject',
    look: (signal) => settledStatus(context, ports.chain, signal),
    ...options,
  });
  if (settled.kind === 'gone') return { kind: 'rejected' };
  if (settled.kind === 'sealed') return settled;
  const fault = faultOf(settled.refusal);
  const onlyTheSignature = fault === 'sequence' || fault === 'gas';
  return {
    kind: 'refused',
    error: new Retryable({
      code: 'reject-refused',
      message: `The chain refused the reject: ${refusalText(settled.refusal)}.`,
      advice:
        fault === 'payment'
          ? FROZEN
          : 'The reject is retried automatically; check the seal account and the chain node.',
    }),
    signAgain: onlyTheSignature ? 'at-once' : settled.spent ? 'once' : 'never',
  };
}

const FROZEN =
  'The chain accepts the reject once the owner of the bucket has deposited BNB to its payment account; until then, or until the owner deletes the object, it is retried at no cost.';
