import { type Deferred, deferred } from '@nats-io/nats-core';

/** What several senders bring, for one reader, in the order of its arrival. */
export class Arrivals<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = [];
  #more: Deferred<void> = deferred();
  #ended = false;

  push(value: T): void {
    if (this.#ended) return;
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
