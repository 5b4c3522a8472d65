import { type Deferred, deferred } from '@nats-io/nats-core';

/** What several senders bring, for one reader, in the order of its arrival. */
export class Arrivals<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #waiting: T[] = [];
  #more: Deferred<void> = deferred();
  #ended = false;

  /** @param limit how many may wait: of more, the oldest go unread */
  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  push(value: T): void {
    if (this.#ended) return;
    if (this.#waiting.length >= this.#limit) this.#waiting.shift();
    this.#waiting.push(value);
    this.#more.resolve();
  }

  /** Nothing more is taken; what has arrived is still read. */
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
