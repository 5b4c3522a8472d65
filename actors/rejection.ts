import { Retryable } from '../protocols/errors.ts';
import type { JobContext, SignedTransaction } from '../protocols/job/context.ts';
import type { Activity } from '../runtime/actors/types.ts';
import { refusalText, type SettlePorts, settleOnChain } from './settle-on-chain.ts';
import { settledStanding } from './standing.ts';

/** How the end of an overdue job looks on chain. `spent`: this reject can never succeed, another must be signed. */
export type RejectResult =
  | { readonly kind: 'rejected' }
  | { readonly kind: 'sealed'; readonly gvgId?: number }
  | { readonly kind: 'spent'; readonly error: Retryable };

/** Has a reject signed with the next sequence. Whichever of it and an earlier seal is included first voids the other. */
export function signReject(
  context: JobContext,
  { signer }: Pick<SettlePorts, 'signer'>,
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
 * @throws Retryable `reject-timeout`, `reject-refused`
 */
export async function rejectOnChain(
  context: JobContext,
  transaction: SignedTransaction,
  ports: SettlePorts,
  options: { readonly signal: AbortSignal; readonly say: (activity: Activity) => void },
): Promise<RejectResult> {
  const settled = await settleOnChain(transaction, ports, {
    what: 'reject',
    look: (signal) => settledStanding(context, ports.chain, signal),
    ...options,
  });
  if (settled.kind === 'gone') return { kind: 'rejected' };
  if (settled.kind === 'sealed') return settled;
  const error = new Retryable({
    code: 'reject-refused',
    message: `The chain refused the reject: ${refusalText(settled.refusal)}.`,
    advice: 'It is tried again by itself; look at the seal account and at the chain node.',
  });
  if (settled.spent) return { kind: 'spent', error };
  throw error;
}
