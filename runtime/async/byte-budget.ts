import { throwIfAborted } from '#protocols/errors';

/** Returns the acquired bytes; only the first call counts. */
export type Release = () => void;

interface Waiter {
  readonly bytes: number;
  grant(release: Release): void;
}

/** A budget of bytes for everything on the node that holds payload in memory; first come, first served. */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  readonly #waiters: Waiter[] = [];
  readonly #shortageListeners = new Set<() => void>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes currently acquired. */
  get used(): number {
    return this.#used;
  }

  /** True while somebody waits: holders should release bytes that they can do without. */
  get isShort(): boolean {
    return this.#waiters.length > 0;
  }

  /** Registers a listener that is called whenever somebody begins to wait. @returns a function that removes it */
  onShortage(listener: () => void): () => void {
    this.#shortageListeners.add(listener);
    return () => this.#shortageListeners.delete(listener);
  }

  /** Acquires the bytes without waiting; undefined when others would have to release some first. */
  tryAcquire(bytes: number): Release | undefined {
    const weight = Math.min(bytes, this.limit);
    if (this.isShort || this.#used + weight > this.limit) return undefined;
    return this.#take(weight);
  }

  /**
   * Acquires bytes in turn. More than the limit counts as the limit, so that a larger piece can be acquired alone.
   * @throws Cancelled when the signal fires first
   */
  acquire(bytes: number, signal?: AbortSignal): Promise<Release> {
    throwIfAborted(signal);
    const now = this.tryAcquire(bytes);
    if (now) return Promise.resolve(now);
    return new Promise<Release>((resolve, reject) => {
      const waiter: Waiter = {
        bytes: Math.min(bytes, this.limit),
        grant: (release) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(release);
        },
      };
      const onAbort = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.#serve();
        try {
          throwIfAborted(signal);
        } catch (error) {
          reject(error);
        }
      };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
      for (const listener of this.#shortageListeners) listener();
    });
  }

  #take(bytes: number): Release {
    this.#used += bytes;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used -= bytes;
      this.#serve();
    };
  }

  #serve(): void {
    for (
      let next = this.#waiters[0];
      next && this.#used + next.bytes <= this.limit;
      next = this.#waiters[0]
    ) {
      this.#waiters.shift();
      next.grant(this.#take(next.bytes));
    }
  }
}

/** One budget per storage provider, so that pieces for a slow one are not loaded into memory yet. */
export class ByteBudgets {
  readonly #limit: number;
  readonly #budgets = new Map<number, ByteBudget>();

  /** @param limit bytes for each provider; the number of providers on chain bounds the number of budgets */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes acquired of the fullest one. */
  get mostUsed(): number {
    return Math.max(0, ...Array.from(this.#budgets.values(), ({ used }) => used));
  }

  of(spId: number): ByteBudget {
    const known = this.#budgets.get(spId);
    if (known) return known;
    const budget = new ByteBudget(this.#limit);
    this.#budgets.set(spId, budget);
    return budget;
  }
}
