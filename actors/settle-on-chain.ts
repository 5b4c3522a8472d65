import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '../protocols/errors.ts';
import { ChainError, isChainError } from '../protocols/greenfield/chain-errors.ts';
import type { JobContext, SignedTransaction } from '../protocols/job/context.ts';
import type { Activity } from '../runtime/actors/types.ts';
import type { BroadcastResult } from '../runtime/chain/chain.ts';
import type { PrimaryPorts } from './ports.ts';
import { type Standing, standingOf } from './standing.ts';

/** What the chain says against a transaction. */
export type Refusal = Pick<BroadcastResult, 'code' | 'codespace' | 'log'>;

/** How a transaction about an object came out. */
export type Settlement =
  | Exclude<Standing, { kind: 'open' }>
  | {
      readonly kind: 'refused';
      readonly refusal: Refusal;
      /** These bytes can never succeed: their sequence is used, by them or by another transaction. */
      readonly spent: boolean;
    };

export type SettlePorts = Pick<PrimaryPorts, 'chain' | 'signer' | 'timing'>;

export interface SettleOptions {
  /** For example `seal`. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly say: (activity: Activity) => void;
}

/**
 * Broadcasts a signed transaction, always the same bytes, and watches until the chain no longer waits for the
 * object's seal. Looks before each broadcast: the reply to an earlier one may have been lost.
 * @throws Retryable `<what>-timeout` when nothing has happened within the time for one try
 */
export async function settleOnChain(
  context: JobContext,
  transaction: SignedTransaction,
  { chain, signer, timing }: SettlePorts,
  { what, signal, say }: SettleOptions,
): Promise<Settlement> {
  const { hash } = transaction;
  const giveUpAt = performance.now() + timing.sealTimeoutMs;
  let accepted = false;
  let outOfSequence: Refusal | undefined;
  for (;;) {
    throwIfAborted(signal);
    const standing = await standingOf(context, chain, signal);
    if (standing.kind !== 'open') return standing;
    const included = await chain.transaction(hash, { signal });
    if (included && !isAccepted(included)) return { kind: 'refused', refusal: included, spent: true };
    if (!included && outOfSequence) return { kind: 'refused', refusal: outOfSequence, spent: true };
    if (performance.now() > giveUpAt) throw timeout(what, hash, timing.sealTimeoutMs);
    if (!included && !accepted) {
      say({ doing: `broadcasting ${what} ${hash}`, waitsFor: 'the signer and the chain node' });
      const verdict = await signer.ask<BroadcastResult>(
        (reply) => ({ type: 'broadcast', transaction, reply }),
        { signal },
      );
      accepted = isAccepted(verdict);
      // Perhaps it was an earlier broadcast of these bytes that used the sequence: one more look will tell.
      if (isChainError(verdict, ChainError.WRONG_SEQUENCE)) outOfSequence = verdict;
      else if (!accepted) return { kind: 'refused', refusal: verdict, spent: false };
    }
    say({ doing: `watching ${what} ${hash}`, waitsFor: 'the next block' });
    await sleep(timing.chainPollMs, undefined, { signal });
  }
}

/** Taken now or before, or about an object that an earlier transaction has sealed, as the next look will show. */
function isAccepted(verdict: Refusal): boolean {
  return (
    verdict.code === 0 ||
    isChainError(verdict, ChainError.TX_IN_MEMPOOL) ||
    isChainError(verdict, ChainError.OBJECT_ALREADY_SEALED)
  );
}

/** What the chain said, for an operator. */
export function refusalText({ code, codespace, log }: Refusal): string {
  return log || `${codespace} ${code}`;
}

function timeout(what: string, hash: string, ms: number): Retryable {
  return new Retryable({
    code: `${what}-timeout`,
    message: `The ${what} ${hash} was not in a block after ${ms} ms.`,
    advice: 'The same bytes are broadcast again by themselves; look at the chain node if it goes on.',
  });
}
