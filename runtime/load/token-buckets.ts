import { LRUCache } from 'lru-cache';

export interface TokenBucketsOptions {
  /** Tokens added to a bucket per second; 0 means no limit. */
  readonly perSecond: number;
  /** Tokens that a full bucket holds. */
  readonly burst: number;
  /** Maximum number of keys; beyond it the least recently used is forgotten, which equals a full bucket. */
  readonly maxKeys?: number;
  /** Monotonic clock, ms. */
  readonly now?: () => number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const MAX_KEYS = 10_000;

/** Rate limits for many clients: a token bucket per key, in bounded memory. */
export class TokenBuckets {
  readonly #options: Required<TokenBucketsOptions>;
  /** Absent until the first key: it has its memory from the beginning. */
  #buckets: LRUCache<string, Bucket> | undefined;

  constructor(options: TokenBucketsOptions) {
    this.#options = { maxKeys: MAX_KEYS, now: () => performance.now(), ...options };
  }

  /**
   * Takes a token if there is one.
   * @returns 0 when it was taken; else ms until there will be one
   */
  take(key: string): number {
    if (this.#options.perSecond === 0) return 0;
    const bucket = this.#filled(key);
    if (bucket.tokens < 1) return this.#msFor(1 - bucket.tokens);
    bucket.tokens -= 1;
    return 0;
  }

  /**
   * Takes tokens for what has already happened, if necessary on credit.
   * @returns ms until the debt is paid
   */
  charge(key: string, tokens: number): number {
    if (this.#options.perSecond === 0) return 0;
    const bucket = this.#filled(key);
    bucket.tokens -= tokens;
    return this.#msFor(Math.max(0, -bucket.tokens));
  }

  /** Number of keys in memory, and how many may be. */
  get size(): number {
    return this.#buckets?.size ?? 0;
  }

  get max(): number {
    return this.#options.maxKeys;
  }

  #filled(key: string): Bucket {
    const { perSecond, burst, maxKeys, now } = this.#options;
    const at = now();
    this.#buckets ??= new LRUCache({ max: maxKeys });
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at };
    bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) * perSecond) / 1000);
    bucket.at = at;
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #msFor(tokens: number): number {
    return Math.ceil((tokens * 1000) / this.#options.perSecond);
  }
}
