import { Retryable, throwIfAborted } from '#protocols/errors';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import { FEE_POLICY, type FeePolicy, gasOf, quoteFee, timesAffordable } from '#protocols/greenfield/fees';
import { fromHex } from '#protocols/greenfield/hex';
import { encodeMessage, type Message } from '#protocols/greenfield/messages';
import { expectedSequence, failedMessage, type Simulation } from '#protocols/greenfield/simulation';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { buildTransaction } from '#protocols/greenfield/transaction';
import type { Fee } from '#protocols/greenfield/typed-transaction';
import type { Account } from '#protocols/greenfield/types';
import { faultOf } from '#protocols/sealing/seal-refusal';
import type { BroadcastResult, Chain } from '#runtime/chain/chain';
import type { AccountKey } from '#runtime/keys/keys';
import { Sequences } from './sequences.ts';
import { messageOf, type SealOrder, type SigningOrder } from './signing-order.ts';
import { tryOut } from './trial.ts';

export interface SigningAccountOptions {
  readonly key: AccountKey;
  readonly chain: Chain;
  /** How long a signed transaction may stay without a broadcast before its sequence is reused, ms. */
  readonly holdMs: number;
  readonly fees?: FeePolicy;
}

const NO_TRIALS_MS = 10_000;
/** Number of trials for seals that share a transaction, each without the seal that was refused. */
const MAX_TRIALS = 4;
/** Maximum size of the messages of one transaction: above 32 KiB the chain charges by length, and it refuses 64 KiB. */
const MAX_BYTES = 30_000;

/** Several seals in one transaction. The numbers are indexes into the given orders. */
export interface SignedTogether {
  readonly transaction: SignedTransaction;
  readonly sealed: readonly number[];
  /** Seals that would have made the chain refuse the whole transaction. */
  readonly refused: readonly number[];
}

/**
 * The account of one key, for its only user. It learns the sequence from the chain at the first signature and after
 * every refusal for a wrong one. Calls must not overlap.
 */
export class SigningAccount {
  readonly #options: SigningAccountOptions;
  readonly #sequences: Sequences;
  #account: Account | undefined;
  /** Reported by the chain node at the last trial. */
  #minGasPrice: bigint | undefined;
  /** Trials are skipped until then, since the node did not answer one; monotonic, ms. */
  #noTrialsUntil = 0;
  /** True after the chain required more gas than was known here. */
  #gasIsStale = false;
  /** Hash of the transaction that was already tried out when it was signed. */
  #triedOut: string | undefined;

  constructor(options: SigningAccountOptions) {
    this.#options = options;
    this.#sequences = new Sequences(options.holdMs);
  }

  /** @throws Retryable `chain-unavailable`, `signing-account-unknown`, `fee-too-high` */
  async sign(order: SigningOrder, signal: AbortSignal): Promise<SignedTransaction> {
    const transaction = await this.#build([messageOf(order, this.#options.key.address)], signal);
    this.#sequences.signed(transaction, performance.now());
    return transaction;
  }

  /**
   * Signs as many of the seals as fit into one transaction, in their order. The chain accepts all of them or none, so
   * the transaction is tried out before it is returned; a seal that is refused is left out.
   * @returns undefined when no two seals can share a transaction, or the node does not answer the trial
   * @throws as `sign`
   */
  async signTogether(orders: readonly SealOrder[], signal: AbortSignal): Promise<SignedTogether | undefined> {
    const messages = orders.map((order) => messageOf(order, this.#options.key.address));
    let sealed = [...messages.keys()].slice(0, await this.#fitting(messages, signal));
    const refused: number[] = [];
    for (let trials = 0; trials < MAX_TRIALS && sealed.length > 1; trials += 1) {
      const transaction = await this.#build(
        messages.filter((_, index) => sealed.includes(index)),
        signal,
      );
      const trial = await this.#tryOut(transaction, signal);
      if (!trial) return undefined;
      if (trial.kind === 'accepted') {
        this.#minGasPrice = trial.minGasPrice;
        this.#triedOut = transaction.hash;
        this.#sequences.signed(transaction, performance.now());
        return { transaction: { ...transaction, seals: sealed.length }, sealed, refused };
      }
      const failed = sealed[failedMessage(trial) ?? -1];
      if (failed === undefined) return undefined;
      refused.push(failed);
      sealed = sealed.filter((index) => index !== failed);
    }
    return undefined;
  }

  /** The transaction will not be broadcast: its sequence is free again. */
  giveUp(transaction: SignedTransaction): void {
    this.#sequences.refused(transaction);
  }

  /** How long a transaction must still wait for those with a lower sequence, ms; 0 when it may be broadcast now. */
  wait(transaction: SignedTransaction): number {
    const now = performance.now();
    return Math.max(0, (this.#sequences.heldUntil(transaction, now) ?? now) - now);
  }

  /**
   * Broadcasts a transaction after a trial, so that one that would fail in a block is refused here, at no cost. A
   * refusal is an answer, not an error.
   * @throws Retryable `chain-unavailable`: the transaction may have been accepted
   */
  async broadcast(transaction: SignedTransaction, signal: AbortSignal): Promise<BroadcastResult> {
    const { chain } = this.#options;
    const trial = transaction.hash === this.#triedOut ? undefined : await this.#tryOut(transaction, signal);
    this.#triedOut = undefined;
    if (trial?.kind === 'refused') {
      const { kind: _, ...refusal } = trial;
      this.#sequences.refused(transaction);
      return { hash: transaction.hash, ...refusal };
    }
    if (trial) this.#minGasPrice = trial.minGasPrice;
    const result = await chain.broadcast(fromHex(transaction.bytes), { signal });
    if (faultOf(result) === 'gas') this.#gasIsStale = true;
    if (result.code === 0) this.#sequences.accepted(transaction);
    else if (isChainError(result, ChainError.WRONG_SEQUENCE)) this.#relearn(result);
    else this.#sequences.refused(transaction);
    return result;
  }

  /** Skipped for a while after the node did not answer a trial, since other broadcasts wait in the meantime. */
  async #tryOut(transaction: SignedTransaction, signal: AbortSignal): Promise<Simulation | undefined> {
    if (performance.now() < this.#noTrialsUntil) return undefined;
    const trial = await tryOut(transaction, this.#options.chain, signal);
    if (!trial) this.#noTrialsUntil = performance.now() + NO_TRIALS_MS;
    return trial;
  }

  /**
   * After code 32, a wrong sequence, the refused bytes are worthless, since their signature covers the sequence. This
   * corrects only the known sequence: the chain's text names the one that its mempool expects (the account on chain
   * shows only what is in blocks); if it does not, the chain is asked at the next signature. The caller gets the
   * refusal and asks for a new signature: a seal returns to SIGN_OBJECT_DOING (`primary/seal/seal-on-chain.ts`), a
   * reject is signed again at once (`primary/object/sealing.ts`). Before that the caller checks the object on chain,
   * since its own transaction may have used the sequence.
   */
  #relearn(refusal: BroadcastResult): void {
    const expected = expectedSequence(refusal);
    if (expected === undefined) this.#sequences.forget();
    else this.#sequences.learn(expected);
  }

  async #build(messages: readonly Message[], signal: AbortSignal): Promise<SignedTransaction> {
    const { key, chain } = this.#options;
    const fee = await this.#feeOf(messages, signal);
    const known = this.#sequences.next(performance.now());
    if (!this.#account || known === undefined) this.#account = await this.#readAccount(signal);
    const sequence = known ?? this.#account.sequence;
    return buildTransaction({
      chainId: chain.chainId,
      account: { ...this.#account, sequence },
      messages,
      key,
      fee,
    });
  }

  /** Number of these messages, all of one type, that fit into one transaction. */
  async #fitting(messages: readonly Message[], signal: AbortSignal): Promise<number> {
    const [first] = messages;
    if (!first) return 0;
    const { fees = FEE_POLICY } = this.#options;
    const affordable = timesAffordable(await this.#gasOf(first, signal), this.#minGasPrice, fees);
    let bytes = 0;
    const tooLong = messages.findIndex((message) => {
      bytes += encodeMessage(message).value.length;
      return bytes > MAX_BYTES;
    });
    return Math.min(affordable, tooLong < 0 ? messages.length : tooLong);
  }

  async #feeOf(messages: readonly Message[], signal: AbortSignal): Promise<Fee> {
    const { fees = FEE_POLICY } = this.#options;
    const gas = await Promise.all(messages.map((message) => this.#gasOf(message, signal)));
    return quoteFee(
      gas.reduce((sum, one) => sum + one, 0),
      this.#minGasPrice,
      fees,
    );
  }

  /** Gas that the chain charges for the message; a default when the chain does not say. */
  async #gasOf(message: Message, signal: AbortSignal): Promise<number> {
    const usual = gasOf([message]);
    try {
      const gas = await this.#options.chain.messageGas(message.typeUrl, { signal, fresh: this.#gasIsStale });
      this.#gasIsStale = false;
      return gas ?? usual;
    } catch {
      throwIfAborted(signal);
      return usual;
    }
  }

  async #readAccount(signal: AbortSignal): Promise<Account> {
    const { key, chain } = this.#options;
    const account = await chain.account(key.address, { signal });
    if (account) return account;
    throw new Retryable({
      code: 'signing-account-unknown',
      message: `The chain does not know the account ${key.address}.`,
      advice: `Send some BNB to ${key.address}: it pays the fees of the transactions it signs.`,
    });
  }
}
