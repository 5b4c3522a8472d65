import { randomUUID } from 'node:crypto';
import { throwIfAborted } from '#protocols/errors';
import type { Ledger } from '../journal.ts';
import type { StreamStore } from './stream-store.ts';
import { ledgerFilter, ledgerSubject, parseLedgerSubject } from './subjects.ts';
import type { Turns } from './turns.ts';

const READ_BATCH = 64;
/** For this time, a reader that continues after a key uses the same list of keys as before, ms. */
const LIST_KEPT_MS = 10 * 60_000;
const LISTS = 4;

interface List {
  readonly keys: readonly string[];
  readonly at: number;
}

/** The ledger in a stream: the last message on the subject of a key is its value. */
export class JetStreamLedger implements Ledger {
  readonly #store: StreamStore;
  readonly #turns: Turns;
  /** Lists of keys, by prefix. */
  readonly #lists = new Map<string, List>();

  constructor(store: StreamStore, turns: Turns) {
    this.#store = store;
    this.#turns = turns;
  }

  async get<T>(key: string): Promise<T | undefined> {
    const stored = await this.#store.get(ledgerSubject(key));
    return stored && (JSON.parse(stored.body) as T);
  }

  async put(key: string, value: unknown): Promise<void> {
    const subject = ledgerSubject(key);
    await this.#turns.run(subject, () => this.#store.put(subject, JSON.stringify(value), randomUUID()));
    this.#forgetLists(key);
  }

  async delete(key: string): Promise<void> {
    const subject = ledgerSubject(key);
    await this.#turns.run(subject, () => this.#store.remove(subject));
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.delete(key)));
  }

  async *entries<T>(
    prefix: string,
    options: { readonly after?: string; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<readonly [string, T], void, undefined> {
    const { after, signal } = options;
    const keys = await this.#keys(prefix, after !== undefined, signal);
    let next = after === undefined ? 0 : keys.findIndex((key) => compareKeys(key, after) > 0);
    if (next === -1) return;
    for (; next < keys.length; next += READ_BATCH) {
      const batch = keys.slice(next, next + READ_BATCH);
      const values = await Promise.all(batch.map((key) => this.get<T>(key)));
      for (const [i, value] of values.entries()) {
        throwIfAborted(signal);
        if (value !== undefined) yield [batch[i] as string, value];
      }
    }
  }

  /** The keys with a prefix, sorted. @param continues true when the reader has already read a part */
  async #keys(prefix: string, continues: boolean, signal?: AbortSignal): Promise<readonly string[]> {
    const known = this.#lists.get(prefix);
    if (continues && known && performance.now() - known.at < LIST_KEPT_MS) return known.keys;
    const at = performance.now();
    const subjects = await this.#store.subjects(ledgerFilter(prefix), signal);
    const keys = subjects.map(parseLedgerSubject).filter((key) => key.startsWith(prefix));
    keys.sort(compareKeys);
    this.#lists.delete(prefix);
    this.#lists.set(prefix, { keys, at });
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= LISTS) break;
      this.#lists.delete(oldest);
    }
    return keys;
  }

  /** Drops lists that a key written by this process may be missing from. */
  #forgetLists(key: string): void {
    for (const prefix of this.#lists.keys()) if (key.startsWith(prefix)) this.#lists.delete(prefix);
  }
}

/** Compares keys by their bytes. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
