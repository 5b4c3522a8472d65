import { LRUCache } from 'lru-cache';
import { toSealionError } from '#protocols/errors';
import { ChainError } from '#protocols/greenfield/chain-errors';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import type { Reply } from '#runtime/actors/types';
import type { BroadcastResult } from '#runtime/chain/chain';
import type { SigningAccount } from './signing-account.ts';
import type { SealOrder } from './signing-order.ts';

/** A seal that is to be signed. */
export interface SealRequest {
  readonly order: SealOrder;
  readonly reply: Reply<SignedTransaction>;
}

/** A signed transaction that is to be broadcast. */
export interface BroadcastRequest {
  readonly transaction: SignedTransaction;
  readonly reply: Reply<BroadcastResult>;
}

/** A transaction of seals between its signature and the chain's answer. */
interface InProgress {
  readonly transaction: SignedTransaction;
  /** Requests of those jobs that have persisted the transaction. */
  readonly asked: BroadcastRequest[];
}

const GIVEN_UP_KEPT = { max: 1_000, ttl: 3_600_000 };

type Signer = Pick<SigningAccount, 'sign' | 'signTogether' | 'giveUp'>;

/**
 * The seals of one key, one transaction after another. Seals that become ready before the chain has answered, and
 * before its owner calls `signNext`, share the next transaction. It is broadcast when all of their jobs have asked for that, since
 * each persists it first. A seal that the chain would refuse, or has refused before, is signed alone, in turn with
 * shared transactions, so that it does not harm others.
 */
export class SealBatches {
  readonly #account: Signer;
  readonly #maxSeals: number;
  #together: SealRequest[] = [];
  #alone: SealRequest[] = [];
  #aloneIsNext = false;
  #inProgress: InProgress | undefined;
  /** Hashes of transactions that some of their jobs have not persisted; they are never broadcast. */
  readonly #givenUp = new LRUCache<string, true>(GIVEN_UP_KEPT);

  /** @param maxSeals in one transaction */
  constructor(account: Signer, maxSeals: number) {
    this.#account = account;
    this.#maxSeals = maxSeals;
  }

  /** Number of seals that wait for their signature. */
  get waiting(): number {
    return this.#together.length + this.#alone.length;
  }

  /** True when nothing is gained by waiting for more seals: those that wait fill a transaction, or one is signed alone. */
  get isFull(): boolean {
    return this.#together.length >= this.#maxSeals || this.#alone.length > 0;
  }

  add(request: SealRequest): void {
    (request.order.alone ? this.#alone : this.#together).push(request);
  }

  /** Signs the next transaction, unless one is in progress. @returns the transaction signed now, for `giveUp` */
  async signNext(signal: AbortSignal): Promise<SignedTransaction | undefined> {
    if (this.#inProgress) return undefined;
    while (this.waiting > 0) {
      const requests = this.#take();
      try {
        const transaction = await this.#sign(requests, signal);
        if (transaction) return transaction;
      } catch (thrown) {
        for (const { reply } of requests) reply.reject(toSealionError(thrown));
      }
    }
    return undefined;
  }

  /**
   * Collects the broadcast requests for the transaction in progress.
   * @returns what is to be broadcast now: the request itself when the transaction is not shared, undefined while other
   * jobs have not asked yet
   */
  gather(request: BroadcastRequest): BroadcastRequest | undefined {
    const on = this.#inProgress;
    const { transaction } = request;
    if (this.#givenUp.get(transaction.hash)) {
      request.reply.resolve({ hash: transaction.hash, ...GIVEN_UP });
      return undefined;
    }
    if (on?.transaction.hash !== transaction.hash) return request;
    on.asked.push(request);
    if (on.asked.length < (on.transaction.seals ?? 1)) return undefined;
    const answer = (give: (reply: Reply<BroadcastResult>) => void) => {
      this.#end(on);
      for (const { reply } of on.asked) give(reply);
    };
    return {
      transaction,
      reply: {
        resolve: (result) => answer((reply) => reply.resolve(result)),
        reject: (error) => answer((reply) => reply.reject(error)),
      },
    };
  }

  /**
   * Gives up a shared transaction for which not all jobs have asked: they have lost their lease, or their node. The
   * others get a new signature.
   */
  giveUp({ hash }: SignedTransaction): void {
    const on = this.#inProgress;
    if (on?.transaction.hash !== hash) return;
    const { transaction, asked } = on;
    const { seals = 1 } = transaction;
    if (asked.length === seals) return;
    this.#end(on);
    if (seals === 1) return;
    this.#account.giveUp(transaction);
    this.#givenUp.set(hash, true);
    for (const { reply } of asked) reply.resolve({ hash, ...GIVEN_UP });
  }

  #take(): readonly SealRequest[] {
    const alone = this.#alone.length > 0 && (this.#aloneIsNext || this.#together.length === 0);
    this.#aloneIsNext = !alone;
    return alone ? this.#alone.splice(0, 1) : this.#together.splice(0, this.#maxSeals);
  }

  /** @returns undefined when the chain does not accept the seals together: each will be signed alone */
  async #sign(requests: readonly SealRequest[], signal: AbortSignal): Promise<SignedTransaction | undefined> {
    const [first] = requests;
    if (first && requests.length === 1) {
      return this.#give(await this.#account.sign(first.order, signal), requests);
    }
    const signed = await this.#account.signTogether(
      requests.map(({ order }) => order),
      signal,
    );
    if (!signed) {
      this.#alone.push(...requests);
      return undefined;
    }
    const { transaction, sealed, refused } = signed;
    this.#alone.push(...requests.filter((_, index) => refused.includes(index)));
    const left = requests.filter((_, index) => !refused.includes(index) && !sealed.includes(index));
    this.#together.unshift(...left);
    return this.#give(
      transaction,
      requests.filter((_, index) => sealed.includes(index)),
    );
  }

  #give(transaction: SignedTransaction, requests: readonly SealRequest[]): SignedTransaction {
    this.#inProgress = { transaction, asked: [] };
    for (const { reply } of requests) reply.resolve(transaction);
    return transaction;
  }

  #end(on: InProgress): void {
    if (this.#inProgress === on) this.#inProgress = undefined;
  }
}

/** The answer that the chain would give after another transaction has used the sequence. */
const GIVEN_UP = {
  code: ChainError.WRONG_SEQUENCE.code,
  codespace: ChainError.WRONG_SEQUENCE.codespace,
  log: `its sequence is given to another transaction: ${ChainError.WRONG_SEQUENCE.text}`,
};
