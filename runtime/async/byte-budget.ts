import { throwIfAborted } from '#protocols/errors';

/** Gives back what was acquired; safe to call more than once. */
export type Release = () => void;

interface Waiter {
  readonly bytes: number;
  grant(release: Release): void;
}

/** A bounded number of bytes shared by everyone on the node who holds payload in memory; first come, first served. */
export class ByteBudget {
  readonly limit: number;
  #used = 0;
  readonly #waiters: Waiter[] = [];
  readonly #shortageListeners = new Set<() => void>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes out on loan. */
  get used(): number {
    return this.#used;
  }

  /** True while somebody waits: who holds bytes that it can do without gives them back now. */
  get isShort(): boolean {
    return this.#waiters.length > 0;
  }

  /** Be called whenever somebody begins to wait. @returns a function that ends it */
  onShortage(listener: () => void): () => void {
    this.#shortageListeners.add(listener);
    return () => this.#shortageListeners.delete(listener);
  }

  /** The bytes at once, or undefined when others would have to give some back first. */
  tryAcquire(bytes: number): Release | undefined {
    const weight = Math.min(bytes, this.limit);
    if (this.isShort || this.#used + weight > this.limit) return undefined;
    return this.#take(weight);
  }

  /**
   * Waits for its turn. More than the limit counts as the limit, so that one large piece passes alone.
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

/** One budget per storage provider: pieces for a slow one wait their turn outside of memory. */
export class ByteBudgets {
  readonly #limit: number;
  readonly #budgets = new Map<number, ByteBudget>();

  /** @param limit bytes for each provider; the providers of a chain bound their number */
  constructor(limit: number) {
    this.#limit = limit;
  }

  of(spId: number): ByteBudget {
    const known = this.#budgets.get(spId);
    if (known) return known;
    const budget = new ByteBudget(this.#limit);
    this.#budgets.set(spId, budget);
    return budget;
  }
}
