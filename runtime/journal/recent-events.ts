import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Positioned } from './journal.ts';

/** Events that are kept; the ones written last. */
const LIMIT = 1_024;

/** The events that were written last, in their order, for those who follow the journal closely. */
export class RecentEvents {
  #events: Positioned[] = [];
  /** Every event behind this position is here, unless it was purged. */
  #from = 0;

  /** What is behind a position is written only from now on. */
  beginAfter(position: number): void {
    this.#events = [];
    this.#from = position;
  }

  /** An event is durable. */
  add(event: Positioned): void {
    this.#events.push(event);
    if (this.#events.length < 2 * LIMIT) return;
    this.#events = this.#events.slice(-LIMIT);
    this.#from = (this.#events[0]?.position ?? 1) - 1;
  }

  forget(job: JobId): void {
    const name = formatJobId(job);
    this.#events = this.#events.filter((event) => formatJobId(event.job) !== name);
  }

  /** The first `limit` events behind a position; undefined where some of them are not known here. */
  after(position: number, limit: number): readonly Positioned[] | undefined {
    if (position < this.#from) return undefined;
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.position ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low, low + limit);
  }
}
