import { formatJobId, type JobId } from '#protocols/job/identity';
import type { StoredEvent } from './journal.ts';

/** Jobs whose events are kept; the ones written last. */
const LIMIT = 512;

/**
 * The events of the jobs that were written last: those are read again soon, by the projector after every event. Only for
 * the one process that writes the journal. A job is known as a whole, from its first event on, or not at all.
 */
export class RecentJobs {
  readonly #jobs = new Map<string, StoredEvent[]>();

  /** All events of a job in order; undefined when they are not known here. */
  read(job: JobId): readonly StoredEvent[] | undefined {
    return this.#jobs.get(formatJobId(job))?.slice();
  }

  /** The job has no event yet. */
  addUnknown(job: JobId): void {
    this.#put(formatJobId(job), []);
  }

  /** An event is durable. */
  add(stored: StoredEvent): void {
    const key = formatJobId(stored.job);
    const events = this.#jobs.get(key) ?? (stored.n === 1 ? [] : undefined);
    if (!events) return;
    events.push(stored);
    this.#put(key, events);
  }

  #put(key: string, events: StoredEvent[]): void {
    this.#jobs.delete(key);
    this.#jobs.set(key, events);
    for (const oldest of this.#jobs.keys()) {
      if (this.#jobs.size <= LIMIT) break;
      this.#jobs.delete(oldest);
    }
  }

  forget(job: JobId): void {
    this.#jobs.delete(formatJobId(job));
  }

  /** After a write of which nobody knows how far it came. */
  forgetAll(): void {
    this.#jobs.clear();
  }
}
