import { createHash } from 'node:crypto';
import { transactionHash } from '#protocols/greenfield/transaction';
import type { Logger } from '#runtime/telemetry/logger';
import { type BlockPosition, type Outcome, runTransaction } from './outcome.ts';
import type { AccountRecord, Head } from './records.ts';
import { State } from './state.ts';
import { StateReader } from './state-reader.ts';
import type { Database } from './store.ts';

export interface IncludedRecord {
  readonly hash: string;
  readonly height: number;
  /** Position in the block. */
  readonly index: number;
  /** TxRaw, base64. */
  readonly tx: string;
  readonly outcome: Outcome;
}

export interface BlockRecord extends Head {
  readonly lastHash: string;
  /** Hashes of the transactions in it. */
  readonly transactions: readonly string[];
}

/** Result of submitting a transaction. The two strings come from CometBFT itself, before the application is asked. */
export type Submission = (Outcome & { readonly hash: string }) | 'already-seen' | 'mempool-full';

/** A change of the state that no transaction makes. */
export type Decision = (state: State, block: BlockPosition) => void;

/** Maximum number of transactions that wait for a block; one block includes all of them. */
const MEMPOOL_SIZE = 5000;
/** Number of transactions whose repetition is recognised. */
const SEEN_SIZE = 10_000;
/** Number of blocks that are kept; transactions are kept for ever. */
const KEPT_BLOCKS = 100_000;

/**
 * The chain without its wire format: accepts transactions, puts them into blocks, and answers from the committed state.
 * It is a single process without consensus.
 */
export class Ledger {
  readonly committed: StateReader;
  readonly #database: Database;
  readonly #log: Logger;
  readonly #mempool = new Map<string, Uint8Array>();
  readonly #seen = new Set<string>();
  readonly #decisions: Decision[] = [];
  /** Height of the last block that was begun; it may not be completely written yet. */
  #begun = 0;
  /** The committed state with the fees and sequences of the mempool's transactions applied. */
  #checked: State;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#log = log;
    this.committed = new StateReader(database);
    this.#checked = new State(database);
  }

  /** Accepts a transaction for the next block, or says why not. */
  submit(bytes: Uint8Array): Submission {
    const hash = transactionHash(bytes);
    if (this.#mempool.size >= MEMPOOL_SIZE) return 'mempool-full';
    if (this.#seen.has(hash)) return 'already-seen';
    const outcome = this.#check(bytes);
    if (outcome.code === 0) {
      this.#mempool.set(hash, bytes);
      this.#remember(hash);
    }
    return { ...outcome, hash };
  }

  /** Runs a transaction without effect; it needs no signature. */
  simulate(bytes: Uint8Array): Outcome {
    const state = new State(this.#checked.overlay);
    return runTransaction(state, bytes, 'simulate', this.#nextBlock(Date.now()), this.#log);
  }

  /**
   * Makes a decision at the beginning of the next block, before the waiting transactions.
   * @returns the height of that block
   */
  decide(decision: Decision): number {
    this.#decisions.push(decision);
    return Math.max(this.#begun, this.committed.head.height) + 1;
  }

  /** Makes the next block from the waiting transactions. Calls must not overlap. @param now unix ms */
  async produceBlock(now: number): Promise<void> {
    const position = this.#nextBlock(now);
    const { height } = position;
    this.#begun = height;
    const state = new State(this.#database);
    const decisions = [...this.#decisions];
    for (const decide of decisions) decide(state, position);
    const included = [...this.#mempool].map(([hash, bytes], index): IncludedRecord => {
      const outcome = runTransaction(state, bytes, 'deliver', position, this.#log);
      return { hash, height, index, tx: Buffer.from(bytes).toString('base64'), outcome };
    });
    const transactions = included.map(({ hash }) => hash);
    const lastHash = this.committed.head.hash;
    const block: BlockRecord = {
      ...position,
      hash: hashOf({ ...position, lastHash, transactions }),
      lastHash,
      transactions,
    };
    state.putHead({ ...position, hash: block.hash });
    state.overlay.put(`block/${height}`, block);
    state.overlay.delete(`block/${height - KEPT_BLOCKS}`);
    for (const record of included) state.overlay.put(`tx/${record.hash}`, record);
    await this.#database.commit(state.overlay.changes(), included.length + decisions.length > 0);
    this.#decisions.splice(0, decisions.length);

    for (const { hash, outcome } of included) {
      this.#mempool.delete(hash);
      // As in CometBFT, a failed transaction may be submitted again, one that succeeded may not.
      if (outcome.code !== 0) this.#seen.delete(hash);
    }
    this.#recheck();
  }

  /** An account after its waiting transactions, so that clients learn the next sequence. */
  account(address: string): AccountRecord | undefined {
    return this.#checked.account(address);
  }

  /** As `Database.entries`, of the committed state. */
  entries<T>(
    ...query: Parameters<Database['entries']>
  ): Promise<readonly (readonly [key: string, value: T])[]> {
    return this.#database.entries<T>(...query);
  }

  transaction(hash: string): IncludedRecord | undefined {
    return this.#database.get(`tx/${hash}`);
  }

  block(height: number): BlockRecord | undefined {
    return this.#database.get(`block/${height}`);
  }

  /** The oldest block that is kept. */
  firstBlock(): BlockRecord | undefined {
    return this.block(Math.max(1, this.committed.head.height - KEPT_BLOCKS + 1));
  }

  #nextBlock(now: number): BlockPosition {
    const { height, time } = this.committed.head;
    return { height: height + 1, time: Math.max(now, time + 1) };
  }

  #check(bytes: Uint8Array): Outcome {
    return runTransaction(this.#checked, bytes, 'check', this.committed.head, this.#log);
  }

  /** Checks the waiting transactions against the new block, and drops those that are no longer valid. */
  #recheck(): void {
    this.#checked = new State(this.#database);
    for (const [hash, bytes] of this.#mempool) {
      if (this.#check(bytes).code === 0) continue;
      this.#mempool.delete(hash);
      this.#seen.delete(hash);
    }
  }

  #remember(hash: string): void {
    this.#seen.add(hash);
    const [oldest] = this.#seen;
    if (this.#seen.size > SEEN_SIZE && oldest !== undefined) this.#seen.delete(oldest);
  }
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').toUpperCase();
}
