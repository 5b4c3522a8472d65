import { Cancelled, Retryable } from '#protocols/errors';

/**
 * Runs operations of the same key one after the other, in the order of their submission, and a bounded number of
 * operations of different keys concurrently.
 */
export class Turns {
  readonly #limits: { readonly atOnce: number; readonly waiting: number };
  readonly #last = new Map<string, Promise<void>>();
  readonly #queue: (() => void)[] = [];
  readonly #submitted = new Set<Promise<unknown>>();
  #running = 0;
  #closed = false;

  constructor(limits: { readonly atOnce: number; readonly waiting: number }) {
    this.#limits = limits;
  }

  /** Operations that have not ended. */
  get submitted(): number {
    return this.#submitted.size;
  }

  /** @throws Retryable `journal-busy`; Cancelled `journal-closed` */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new Cancelled({ code: 'journal-closed', message: 'The journal is closed.' });
    if (this.#submitted.size >= this.#limits.waiting) {
      throw new Retryable({
        code: 'journal-busy',
        message: `${this.#submitted.size} writes already wait for the journal.`,
        advice: 'Check the nats-servers and their disks.',
      });
    }
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(() => this.#inSlot(work));
    const mine = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(key, mine);
    this.#submitted.add(mine);
    try {
      return await result;
    } finally {
      this.#submitted.delete(mine);
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }

  /** Accepts no more operations, and resolves when all submitted ones have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#submitted);
  }

  async #inSlot<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limits.atOnce) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
