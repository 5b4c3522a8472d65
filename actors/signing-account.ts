import { Retryable } from '../protocols/errors.ts';
import { ChainError, isChainError } from '../protocols/greenfield/chain-errors.ts';
import { fromHex } from '../protocols/greenfield/hex.ts';
import { buildTransaction } from '../protocols/greenfield/transaction.ts';
import type { Account } from '../protocols/greenfield/types.ts';
import type { SignedTransaction } from '../protocols/job/context.ts';
import type { BroadcastResult, Chain } from '../runtime/chain/chain.ts';
import type { AccountKey } from '../runtime/keys/keys.ts';
import { Sequences } from './sequences.ts';
import { messageOf, type SigningOrder } from './signing-order.ts';

export interface SigningAccountOptions {
  readonly key: AccountKey;
  readonly chain: Chain;
  /** How long a signed transaction is waited for before its sequence is given to another, ms. */
  readonly holdMs: number;
}

/**
 * The account of one key, as its only user sees it. Learns the sequence from the chain at the first
 * signature and after every refusal for a wrong one; calls must not overlap.
 */
export class SigningAccount {
  readonly #options: SigningAccountOptions;
  readonly #sequences: Sequences;
  #account: Account | undefined;

  constructor(options: SigningAccountOptions) {
    this.#options = options;
    this.#sequences = new Sequences(options.holdMs);
  }

  /** @throws Retryable `chain-unavailable`, `signing-account-unknown` */
  async sign(order: SigningOrder, signal: AbortSignal): Promise<SignedTransaction> {
    const { key, chain } = this.#options;
    const known = this.#sequences.next(performance.now());
    if (!this.#account || known === undefined) this.#account = await this.#readAccount(signal);
    const sequence = known ?? this.#account.sequence;
    const transaction = await buildTransaction({
      chainId: chain.chainId,
      account: { ...this.#account, sequence },
      messages: [messageOf(order, key.address)],
      key,
    });
    this.#sequences.signed(transaction, performance.now());
    return transaction;
  }

  /** Ms until a transaction need not wait any longer for earlier ones; 0 when it may go now. */
  wait(transaction: SignedTransaction): number {
    const now = performance.now();
    return Math.max(0, (this.#sequences.heldUntil(transaction, now) ?? now) - now);
  }

  /** A refusal by the chain is an answer. @throws Retryable `chain-unavailable`: it may have been taken */
  async broadcast(transaction: SignedTransaction, signal: AbortSignal): Promise<BroadcastResult> {
    const result = await this.#options.chain.broadcast(fromHex(transaction.bytes), { signal });
    if (result.code === 0) this.#sequences.accepted(transaction);
    else if (isChainError(result, ChainError.WRONG_SEQUENCE)) this.#relearn(result.log);
    else this.#sequences.refused(transaction);
    return result;
  }

  /** The chain's words tell what its mempool expects; the account itself shows only what is in blocks. */
  #relearn(log: string): void {
    const expected = /expected (\d+), got \d+/.exec(log)?.[1];
    if (expected === undefined) this.#sequences.forget();
    else this.#sequences.learn(Number(expected));
  }

  async #readAccount(signal: AbortSignal): Promise<Account> {
    const { key, chain } = this.#options;
    const account = await chain.account(key.address, { signal });
    if (account) return account;
    throw new Retryable({
      code: 'signing-account-unknown',
      message: `The chain knows no account ${key.address}.`,
      advice: `Send some BNB to ${key.address}: it pays the fees of what it signs.`,
    });
  }
}
