import { Retryable } from '#protocols/errors';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import type { JobContext } from '#protocols/job/context';
import { faultOf } from '#protocols/sealing/seal-refusal';
import type { Activity } from '#runtime/actors/types';
import { refusalText, type SubmitPorts, submitAndConfirm } from '../../chain/submit-and-confirm.ts';
import { finalStatus } from './chain-status.ts';

/** The result of rejecting an overdue job on chain. */
export type RejectResult =
  | { readonly kind: 'rejected' }
  | { readonly kind: 'sealed'; readonly gvgId?: number }
  | {
      readonly kind: 'refused';
      readonly error: Retryable;
      /** `never`: the same bytes may succeed later; `at-once`: only the sequence or the fee is wrong. */
      readonly signAgain: 'never' | 'once' | 'at-once';
    };

/** Has a reject signed with the next sequence. If a seal was broadcast before, the first of the two in a block wins. */
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
 * Broadcasts the signed reject and watches until the object is gone, or sealed after all.
 * @throws Retryable `reject-timeout`
 */
export async function rejectOnChain(
  context: JobContext,
  transaction: SignedTransaction,
  ports: SubmitPorts,
  options: { readonly signal: AbortSignal; readonly say: (activity: Activity) => void },
): Promise<RejectResult> {
  const result = await submitAndConfirm(transaction, ports, {
    what: 'reject',
    findResult: (signal) => finalStatus(context, ports.chain, signal),
    ...options,
  });
  if (result.kind === 'gone') return { kind: 'rejected' };
  if (result.kind === 'sealed') return result;
  const fault = faultOf(result.refusal);
  const onlyTheSignature = fault === 'sequence' || fault === 'gas';
  return {
    kind: 'refused',
    error: new Retryable({
      code: 'reject-refused',
      message: `The chain refused the reject: ${refusalText(result.refusal)}.`,
      advice:
        fault === 'payment'
          ? FROZEN
          : 'The reject is retried automatically; check the seal account and the chain node.',
    }),
    signAgain: onlyTheSignature ? 'at-once' : result.spent ? 'once' : 'never',
  };
}

const FROZEN =
  'The chain accepts the reject once the owner of the bucket has deposited BNB to its payment account; until then, or until the owner deletes the object, it is retried at no cost.';
