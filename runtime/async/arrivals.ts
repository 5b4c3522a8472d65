import { type Deferred, deferred } from '@nats-io/nats-core';

/** A queue from several senders to one reader, in the order of arrival. */
export class Arrivals<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #waiting: T[] = [];
  #more: Deferred<void> = deferred();
  #ended = false;

  /** @param limit maximum number of waiting items; beyond it the oldest are dropped */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  push(value: T): void {
    if (this.#ended) return;
    if (this.#waiting.length >= this.#limit) this.#waiting.shift();
    this.#waiting.push(value);
    this.#more.resolve();
  }

  /** Accepts nothing more; the reader still gets what has arrived. */
  end(): void {
    this.#ended = true;
    this.#more.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift() as T;
      if (this.#ended) return;
      await this.#more;
      this.#more = deferred();
    }
  }
}
