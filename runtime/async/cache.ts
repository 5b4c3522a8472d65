import { throwIfAborted } from '#protocols/errors';

export interface CacheOptions<K, V> {
  /** How long an answer may be reused, ms. */
  readonly ttlMs: number;
  /** The oldest entry goes when there are more. */
  readonly maxEntries: number;
  /** Must be bounded in time by itself: it serves several callers, so no caller's signal ends it. */
  readonly load: (key: K) => Promise<V>;
}

/** Answers that may be a little old. Concurrent callers share one load; a failed load is not kept. */
export class Cache<K, V> {
  readonly #options: CacheOptions<K, V>;
  readonly #entries = new Map<K, { readonly value: Promise<V>; readonly expires: number }>();

  constructor(options: CacheOptions<K, V>) {
    this.#options = options;
  }

  async get(key: K, signal?: AbortSignal): Promise<V> {
    throwIfAborted(signal);
    const kept = this.#entries.get(key);
    if (kept && kept.expires > performance.now()) return unlessAborted(kept.value, signal);

    const value = this.#options.load(key);
    const entry = { value, expires: performance.now() + this.#options.ttlMs };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.maxEntries) break;
      this.#entries.delete(oldest);
    }
    return unlessAborted(value, signal);
  }

  /** The next caller loads it again. */
  forget(key: K): void {
    this.#entries.delete(key);
  }
}

async function unlessAborted<V>(value: Promise<V>, signal: AbortSignal | undefined): Promise<V> {
  if (!signal) return value;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([value, aborted]);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
