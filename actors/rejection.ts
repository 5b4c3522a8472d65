import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '../protocols/errors.ts';
import type { JobContext, SignedTransaction } from '../protocols/job/context.ts';
import type { BroadcastResult } from '../runtime/chain/chain.ts';
import type { PrimaryPorts } from './ports.ts';
import { isSealed } from './seal-on-chain.ts';

type Ports = Pick<PrimaryPorts, 'chain' | 'signer' | 'timing'>;

/** How the end of an overdue job looks on chain. */
export type RejectResult = 'rejected' | 'sealed';

/** Has a reject signed with the next sequence. Whichever of it and an earlier seal is included first voids the other. */
export function signReject(
  context: JobContext,
  ports: Ports,
  signal: AbortSignal,
): Promise<SignedTransaction> {
  const { bucketName, objectName } = context.object;
  return ports.signer.ask<SignedTransaction>(
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
  ports: Ports,
  signal: AbortSignal,
): Promise<RejectResult> {
  const giveUpAt = Date.now() + ports.timing.sealTimeoutMs;
  for (let accepted = false; Date.now() < giveUpAt; ) {
    throwIfAborted(signal);
    const onChain = await ports.chain.objectById(context.id.objectId, { signal });
    if (!onChain) return 'rejected';
    if (isSealed(onChain, context.id.version)) return 'sealed';
    if (!accepted) {
      const verdict = await ports.signer.ask<BroadcastResult>(
        (reply) => ({ type: 'broadcast', transaction, reply }),
        { signal },
      );
      accepted = verdict.code === 0;
    }
    await sleep(ports.timing.chainPollMs, undefined, { signal });
  }
  throw new Retryable({
    code: 'reject-timeout',
    message: `The reject ${transaction.hash} was not in a block after ${ports.timing.sealTimeoutMs} ms.`,
    advice: 'It is tried again by itself; look at the chain node if it goes on.',
  });
}
