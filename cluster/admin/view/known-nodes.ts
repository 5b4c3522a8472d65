import { Cache } from '#runtime/async/cache';
import type { Ledger } from '#runtime/journal/journal';

const PREFIX = 'node/';
const TTL_MS = 5_000;
/** Entries that are read; an SP has far fewer nodes. */
const LIMIT = 1_000;
const ONLY_KEY = 'all';

interface Entry {
  /** Unix ms. */
  readonly since: number;
}

/**
 * The nodes of the SP that were started and not stopped, in the ledger: whoever of them does not answer is missing.
 * Names are those of `sp-1@a`.
 */
export class KnownNodes {
  readonly #ledger: Ledger;
  readonly #names: Cache<string, readonly string[]>;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#names = new Cache({ ttlMs: TTL_MS, maxEntries: 1, load: () => this.#read() });
  }

  /** A few seconds old. */
  names(signal?: AbortSignal): Promise<readonly string[]> {
    return this.#names.get(ONLY_KEY, signal);
  }

  async started(node: string): Promise<void> {
    const entry: Entry = { since: Date.now() };
    await this.#ledger.put(`${PREFIX}${node}`, entry);
    this.#names.forget(ONLY_KEY);
  }

  /** The node was stopped in order, or will not come back. */
  async stopped(node: string): Promise<void> {
    await this.#ledger.delete(`${PREFIX}${node}`);
    this.#names.forget(ONLY_KEY);
  }

  async #read(): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const [key] of this.#ledger.entries(PREFIX)) {
      names.push(key.slice(PREFIX.length));
      if (names.length >= LIMIT) break;
    }
    return names;
  }
}
