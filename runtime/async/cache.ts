import { LRUCache } from 'lru-cache';
import { throwIfAborted } from '#protocols/errors';
import { orAborted } from './or-aborted.ts';

export interface CacheOptions<K, V> {
  /** How long an answer may be reused, ms; at least 1. */
  readonly ttlMs: number;
  /** The least recently used entry is dropped beyond that. */
  readonly maxEntries: number;
  /** Must have a time limit of its own: it serves several callers, so no caller's signal ends it. */
  readonly load: (key: K) => Promise<V>;
}

/** A cache of answers that may be slightly old. Concurrent callers share one load; a failed load is not cached. */
export class Cache<K extends string | number, V> {
  readonly #load: (key: K) => Promise<V>;
  readonly #loads: LRUCache<K, Promise<V>>;

  constructor({ ttlMs, maxEntries, load }: CacheOptions<K, V>) {
    this.#load = load;
    this.#loads = new LRUCache({ max: maxEntries, ttl: ttlMs });
  }

  /** Entries that are kept, and how many may be. */
  get size(): number {
    return this.#loads.size;
  }

  get max(): number {
    return this.#loads.max;
  }

  async get(key: K, signal?: AbortSignal): Promise<V> {
    throwIfAborted(signal);
    return orAborted(this.#loads.get(key) ?? this.#begin(key), signal);
  }

  /** Drops an entry, so that the next caller loads it again. */
  forget(key: K): void {
    this.#loads.delete(key);
  }

  #begin(key: K): Promise<V> {
    const loading = this.#load(key);
    this.#loads.set(key, loading);
    loading.catch(() => {
      if (this.#loads.peek(key) === loading) this.#loads.delete(key);
    });
    return loading;
  }
}
