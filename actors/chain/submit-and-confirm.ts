import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import { type ChainRefusal, isOfMessage, messageText } from '#protocols/greenfield/simulation';
import type { SignedTransaction } from '#protocols/job/context';
import type { Activity, Ref } from '#runtime/actors/types';
import type { BroadcastResult, Chain } from '#runtime/chain/chain';
import type { SignerMessage } from './signer.ts';

/** The chain took a transaction neither now nor before. */
export interface Refused {
  readonly kind: 'refused';
  readonly refusal: ChainRefusal;
  /** These bytes can never succeed: their sequence is used, by them or by another transaction. */
  readonly spent: boolean;
}

/** What a transaction needs on its way into a block. */
export interface SubmitPorts {
  readonly chain: Chain;
  readonly signer: Ref<SignerMessage>;
  readonly timing: SubmitTiming;
}

/** All in ms. */
export interface SubmitTiming {
  /** How long a broadcast transaction is watched before the try counts as failed. */
  readonly inclusionTimeoutMs: number;
  /** Between two looks at the chain. */
  readonly chainPollMs: number;
  /** After a broadcast, before the same bytes are broadcast again. */
  readonly rebroadcastMs: number;
}

export interface SubmitOptions<S> {
  /** For example `seal`. */
  readonly what: string;
  /** What has become of the object on chain; undefined while it still waits for the transaction. */
  readonly findResult: (signal: AbortSignal) => Promise<S | undefined>;
  readonly signal: AbortSignal;
  readonly say: (activity: Activity) => void;
  /** True for one that was signed a moment ago and cannot be on chain: it is broadcast before the first look. */
  readonly isNew?: boolean;
}

/** Between two looks at an object of which the chain has not said that its transaction is in a block, in polls. */
const POLLS_PER_CHECK = 4;

/**
 * Broadcasts a signed transaction, always the same bytes, and watches until the object no longer waits for it.
 * Looks before each broadcast, for the reply to an earlier one may have been lost, and after each refusal, for it may
 * be the transaction's own success that is in its way. In between it asks for the transaction, whose inclusion is one
 * question for all objects in it, and looks at the object less often. Broadcasts again while nothing happens: a node may lose what
 * waits, and one without an index of transactions says only so that the sequence is used and the transaction has
 * failed.
 * @throws Retryable `<what>-timeout` when nothing has happened within the time for one try
 */
export async function submitAndConfirm<S>(
  transaction: SignedTransaction,
  { chain, signer, timing }: SubmitPorts,
  { what, findResult, signal, say, isNew = false }: SubmitOptions<S>,
): Promise<S | Refused> {
  const { hash, seals = 1 } = transaction;
  const giveUpAt = performance.now() + timing.inclusionTimeoutMs;
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
    say({ doing: `watching ${what} ${hash}`, waitsFor: 'the next block' });
    await sleep(timing.chainPollMs, undefined, { signal });
  }
}

/** Taken now or before, or about an object that an earlier transaction has sealed, as the next look will show. */
function isAccepted(verdict: ChainRefusal): boolean {
  return (
    verdict.code === 0 ||
    isChainError(verdict, ChainError.TX_IN_MEMPOOL) ||
    isChainError(verdict, ChainError.OBJECT_ALREADY_SEALED)
  );
}

/** What the chain said, for an operator. */
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
