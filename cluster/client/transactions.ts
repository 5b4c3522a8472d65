import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, Terminal, throwIfAborted, toSealionError } from '#protocols/errors';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import { FEE_POLICY, gasOf, quoteFee } from '#protocols/greenfield/fees';
import type { Message } from '#protocols/greenfield/messages';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { buildTransaction } from '#protocols/greenfield/transaction';
import type { Account } from '#protocols/greenfield/types';
import type { BroadcastResult, Chain, ChainOptions, IncludedTransaction } from '#runtime/chain/chain';
import type { AccountKey } from '#runtime/keys/keys';

/** How often a transaction is signed again because another one used its sequence. */
const MAX_SIGNINGS = 10;
const POLL_MS = 200;
/**
 * The minimum gas of a transaction (protocols/sealing/README.md#gas-and-fees), with some room for the digits of its
 * fee.
 */
const GAS_PER_BYTE = 5.1;

/**
 * Signs the transactions of one account, sends them, and waits until they are in a block. Several may be sent at once;
 * they get their sequences in turn and may share a block.
 */
export class Transactions {
  readonly #chain: Chain;
  readonly #key: AccountKey;
  /** Time limit for a transaction to be in a block, ms. */
  readonly #inclusionMs: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(chain: Chain, key: AccountKey, inclusionMs: number) {
    this.#chain = chain;
    this.#key = key;
    this.#inclusionMs = inclusionMs;
  }

  /**
   * Sends messages in one transaction, which take effect all together or not at all.
   * @throws Terminal `transaction-refused` with the chain's reason; Retryable `transaction-not-included`; as `Chain`
   */
  async send(messages: readonly Message[], options?: ChainOptions): Promise<IncludedTransaction> {
    const { hash } = accepted(await this.#inTurn(() => this.#broadcast(messages, options)));
    const deadline = performance.now() + this.#inclusionMs;
    while (performance.now() < deadline) {
      const included = await this.#chain.transaction(hash, options);
      if (included) return accepted(included);
      await this.#pause(options);
    }
    throw new Retryable({
      code: 'transaction-not-included',
      message: `The transaction ${hash} is not in a block after ${this.#inclusionMs} ms.`,
      advice: 'Look it up later before sending another: it may still be included.',
    });
  }

  async #broadcast(
    messages: readonly Message[],
    options: ChainOptions | undefined,
  ): Promise<BroadcastResult> {
    for (let signing = 1; ; signing += 1) {
      throwIfAborted(options?.signal);
      const account = await this.#chain.account(this.#key.address, options);
      if (!account) {
        throw new Terminal({
          code: 'no-such-account',
          message: `The chain does not know the account ${this.#key.address}.`,
          advice: 'Send it some BNB first.',
        });
      }
      const { bytes } = await this.#sign(messages, account, options);
      const result = await this.#chain.broadcast(Buffer.from(bytes, 'hex'), options);
      if (!isChainError(result, ChainError.WRONG_SEQUENCE) || signing === MAX_SIGNINGS) return result;
      await this.#pause(options);
    }
  }

  async #sign(
    messages: readonly Message[],
    account: Account,
    options: ChainOptions | undefined,
  ): Promise<SignedTransaction> {
    const build = (gas: number) =>
      buildTransaction({
        chainId: this.#chain.chainId,
        account,
        messages,
        key: this.#key,
        fee: quoteFee(gas, undefined, { ...FEE_POLICY, gasHeadroom: 1 }),
      });
    const gas = await this.#gasOf(messages, options);
    const signed = await build(gas);
    const bySize = Math.ceil((signed.bytes.length / 2) * GAS_PER_BYTE);
    return bySize > gas ? build(bySize) : signed;
  }

  async #gasOf(messages: readonly Message[], options: ChainOptions | undefined): Promise<number> {
    let sum = 0;
    for (const type of new Set(messages.map(({ typeUrl }) => typeUrl))) {
      const same = messages.filter(({ typeUrl }) => typeUrl === type);
      const each = await this.#chain.messageGas(type, { ...options, fresh: true });
      sum += each === undefined ? gasOf(same) : each * same.length;
    }
    return sum;
  }

  /** Broadcasts one transaction at a time, so that no two are signed with the same sequence. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #pause(options: ChainOptions | undefined): Promise<void> {
    try {
      await sleep(POLL_MS, undefined, options);
    } catch (error) {
      throwIfAborted(options?.signal);
      throw toSealionError(error);
    }
  }
}

function accepted<T extends { code: number; codespace: string; log: string }>(result: T): T {
  if (result.code === 0) return result;
  throw new Terminal({
    code: 'transaction-refused',
    message: `The chain refused the transaction: ${result.log} (${result.codespace} ${result.code}).`,
    advice: 'The message names the reason; nothing was changed on chain, but the fee may have been charged.',
  });
}
