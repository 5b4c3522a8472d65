import { LRUCache } from 'lru-cache';
import { toSealionError } from '#protocols/errors';
import { ChainError } from '#protocols/greenfield/chain-errors';
import type { SignedTransaction } from '#protocols/job/context';
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

/** The transaction of seals that is on its way from its signature to the chain's verdict. */
interface OnItsWay {
  readonly transaction: SignedTransaction;
  /** Of the objects that it seals, those which have it persisted, and ask for its broadcast. */
  readonly asked: BroadcastRequest[];
}

const GIVEN_UP_KEPT = { max: 1_000, ttl: 3_600_000 };

type Signer = Pick<SigningAccount, 'sign' | 'signTogether' | 'giveUp'>;

/**
 * The seals of one key, one transaction after the other. A seal that comes alone is signed at once; what becomes ready
 * while it is on its way goes together in the next transaction. That is broadcast when all of its objects ask for it,
 * since each persists it first. What the chain would refuse, or refused before, is signed alone, taking turns with the
 * others, so that it is no harm to them.
 */
export class SealBatches {
  readonly #account: Signer;
  readonly #maxSeals: number;
  #together: SealRequest[] = [];
  #alone: SealRequest[] = [];
  #aloneIsNext = false;
  #onItsWay: OnItsWay | undefined;
  /** Hashes of transactions that not all of their objects have persisted: nobody gets them broadcast. */
  readonly #givenUp = new LRUCache<string, true>(GIVEN_UP_KEPT);

  /** @param maxSeals in one transaction */
  constructor(account: Signer, maxSeals: number) {
    this.#account = account;
    this.#maxSeals = maxSeals;
  }

  /** Seals that wait for their signature. */
  get waiting(): number {
    return this.#together.length + this.#alone.length;
  }

  add(request: SealRequest): void {
    (request.order.alone ? this.#alone : this.#together).push(request);
  }

  /** Signs what waits, unless something is on its way. @returns what was signed now; see `giveUp` */
  async signNext(signal: AbortSignal): Promise<SignedTransaction | undefined> {
    if (this.#onItsWay) return undefined;
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
   * Gathers the broadcasts of what is on its way.
   * @returns what is to be broadcast now: the request itself where nobody else has part in it, undefined while others
   * have not asked
   */
  gather(request: BroadcastRequest): BroadcastRequest | undefined {
    const on = this.#onItsWay;
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
   * Nobody waits any longer for those who have not asked for the broadcast: they have lost their job, or their node. The
   * others are signed for again.
   */
  giveUp({ hash }: SignedTransaction): void {
    const on = this.#onItsWay;
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

  /** @returns undefined where the chain does not take them together: each will be signed alone */
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
    this.#onItsWay = { transaction, asked: [] };
    for (const { reply } of requests) reply.resolve(transaction);
    return transaction;
  }

  #end(on: OnItsWay): void {
    if (this.#onItsWay === on) this.#onItsWay = undefined;
  }
}

/** What the chain would say once the sequence has been given to another transaction. */
const GIVEN_UP = {
  code: ChainError.WRONG_SEQUENCE.code,
  codespace: ChainError.WRONG_SEQUENCE.codespace,
  log: `its sequence is given to another transaction: ${ChainError.WRONG_SEQUENCE.text}`,
};
