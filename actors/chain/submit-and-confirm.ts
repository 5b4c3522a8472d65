import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import { type ChainRefusal, isOfMessage, messageText } from '#protocols/greenfield/simulation';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import type { Activity, Ref } from '#runtime/actors/types';
import type { BroadcastResult, Chain } from '#runtime/chain/chain';
import type { SignerMessage } from './signer.ts';

/** The chain has not accepted the transaction, neither now nor before. */
export interface Refused {
  readonly kind: 'refused';
  readonly refusal: ChainRefusal;
  /** These bytes can never succeed: their sequence is used, by them or by another transaction. */
  readonly spent: boolean;
}

/** What is needed to get a transaction into a block. */
export interface SubmitPorts {
  readonly chain: Chain;
  readonly signer: Ref<SignerMessage>;
  readonly timing: SubmitTiming;
}

/** All in ms. */
export interface SubmitTiming {
  /** How long a broadcast transaction is watched before the try counts as failed. */
  readonly inclusionTimeoutMs: number;
  /** Between two queries for the transaction. */
  readonly chainPollMs: number;
  /** After a broadcast, before the same bytes are broadcast again. */
  readonly rebroadcastMs: number;
}

export interface SubmitOptions<S> {
  /** For example `seal`. */
  readonly what: string;
  /** The result that the object shows on chain; undefined while it still waits for the transaction. */
  readonly findResult: (signal: AbortSignal) => Promise<S | undefined>;
  readonly signal: AbortSignal;
  readonly say: (activity: Activity) => void;
  /** True for a transaction that was just signed and cannot be on chain: it is broadcast before the first query. */
  readonly isNew?: boolean;
}

/** Number of polls between two queries for the object, while the transaction is in no block. */
const POLLS_PER_CHECK = 4;

/**
 * Broadcasts a signed transaction, always the same bytes, and polls until the object no longer waits for it. The object
 * is queried before each broadcast, since the reply to an earlier one may have been lost, and after each refusal, since
 * the reason may be that the transaction has already succeeded. In between the transaction itself is polled: one query
 * serves all objects in it. The broadcast is repeated while nothing happens, since a node may lose pending
 * transactions; besides, a node without a transaction index shows that the transaction has failed only by refusing its
 * sequence.
 * @throws Retryable `<what>-timeout` when nothing has happened within the time for one try
 */
export async function submitAndConfirm<S>(
  transaction: SignedTransaction,
  { chain, signer, timing }: SubmitPorts,
  { what, findResult, signal, say, isNew = false }: SubmitOptions<S>,
): Promise<S | Refused> {
  const { hash, seals = 1 } = transaction;
  // counts from the first broadcast, so that a slow chain node leaves time for one
  let giveUpAt = Number.POSITIVE_INFINITY;
  let broadcastAt = 0;
  let refused: Refused | undefined;
  for (let poll = 0; ; poll += 1) {
    throwIfAborted(signal);
    const skips = isNew && poll === 0;
    const included = skips ? undefined : await chain.transaction(hash, { age: 'seconds', signal });
    const isDue = included !== undefined || refused !== undefined || performance.now() >= broadcastAt;
    const found = !skips && (isDue || poll % POLLS_PER_CHECK === 0) ? await findResult(signal) : undefined;
    if (found !== undefined) return found;
    if (included && !isAccepted(included)) return { kind: 'refused', refusal: included, spent: true };
    if (!included && refused) return refused;
    if (performance.now() > giveUpAt) throw timeout(what, hash, timing.inclusionTimeoutMs);
    if (!included && performance.now() >= broadcastAt) {
      say({ doing: `broadcasting ${what} ${hash}`, waitsFor: 'the signer and the chain node' });
      const verdict = await signer.ask<BroadcastResult>(
        (reply) => ({ type: 'broadcast', transaction, reply }),
        { signal },
      );
      broadcastAt = performance.now() + timing.rebroadcastMs;
      if (!isAccepted(verdict) || (seals > 1 && isOfMessage(verdict))) {
        const spent = isChainError(verdict, ChainError.WRONG_SEQUENCE);
        refused = { kind: 'refused', refusal: verdict, spent };
      }
    }
    if (poll === 0) giveUpAt = performance.now() + timing.inclusionTimeoutMs;
    say({ doing: `watching ${what} ${hash}`, waitsFor: 'the next block' });
    await sleep(timing.chainPollMs, undefined, { signal });
  }
}

/** Accepted now or before, or about an object that an earlier transaction has sealed, as the next query will show. */
function isAccepted(verdict: ChainRefusal): boolean {
  return (
    verdict.code === 0 ||
    isChainError(verdict, ChainError.TX_IN_MEMPOOL) ||
    isChainError(verdict, ChainError.OBJECT_ALREADY_SEALED)
  );
}

/** The chain's reason, for an operator. */
export function refusalText(refusal: ChainRefusal): string {
  return messageText(refusal) || `${refusal.codespace} ${refusal.code}`;
}

function timeout(what: string, hash: string, ms: number): Retryable {
  return new Retryable({
    code: `${what}-timeout`,
    message: `The ${what} ${hash} was not in a block after ${ms} ms.`,
    advice: 'The same bytes are broadcast again automatically; if this continues, check the chain node.',
  });
}
