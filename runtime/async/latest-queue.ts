/** What waits for one slow reader: at most `limit` items, of which the oldest go first. */
export class LatestQueue<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #ended = false;
  #wake = () => {};

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(item: T): void {
    if (this.#items.length >= this.#limit) this.#items.shift();
    this.#items.push(item);
    this.#wake();
  }

  /** No more will come; what waits is still read. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** For one reader. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
