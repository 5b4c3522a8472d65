import { throwIfAborted } from '#protocols/errors';
import type { Ledger } from './journal.ts';
import type { LevelStore, Table } from './level-store.ts';

/** Sorts after every character that a key can hold. */
const AFTER_ALL = '\u{10ffff}';

/** The key-value space beside the jobs, in a sublevel of its own. */
export class LevelLedger implements Ledger {
  readonly #store: LevelStore;
  readonly #table: Table<unknown>;

  constructor(store: LevelStore) {
    this.#store = store;
    this.#table = store.table('ledger');
  }

  async get<T>(key: string): Promise<T | undefined> {
    return this.#store.look(this.#table, key) as T | undefined;
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#store.write([{ type: 'put', sublevel: this.#table, key, value }]);
  }

  async delete(key: string): Promise<void> {
    await this.deleteAll([key]);
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    await this.#store.write(keys.map((key) => ({ type: 'del', sublevel: this.#table, key })));
  }

  async *entries<T>(
    prefix: string,
    options: { readonly after?: string; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<readonly [string, T], void, undefined> {
    const { after } = options;
    const from = after !== undefined && after >= prefix ? { gt: after } : { gte: prefix };
    const range = { ...from, lt: prefix + AFTER_ALL };
    for await (const [key, value] of this.#store.scan(this.#table, range)) {
      throwIfAborted(options.signal);
      yield [key, value as T];
    }
  }
}
