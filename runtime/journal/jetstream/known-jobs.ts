import { formatJobId, type JobId } from '#protocols/job/identity';
import { isTerminal } from '#protocols/job/states';
import { STATE_AFTER } from '#protocols/job/transitions';
import type { StoredEvent } from '../journal.ts';

const LIMIT = 512;

/** A job's history from its first event, perhaps without the last ones. Valid until a purge, as events never change. */
export interface KnownJob {
  readonly events: readonly StoredEvent[];
  /** Sequence of the last event in the stream; 0 if there are no events. */
  readonly seq: number;
  /** Monotonic time, ms, at which this was known to be the whole history: when it was requested or last written. */
  readonly confirmedAt: number;
}

/** Histories of the jobs that this process has read or written most recently. */
export class KnownJobs {
  readonly #jobs = new Map<string, KnownJob>();

  get(job: JobId): KnownJob | undefined {
    return this.#jobs.get(formatJobId(job));
  }

  /** Remembers a history, unless a newer one is already known. */
  set(job: JobId, known: KnownJob): void {
    const key = formatJobId(job);
    const before = this.#jobs.get(key);
    if (before && before.events.length > known.events.length) return;
    this.#jobs.delete(key);
    this.#jobs.set(key, known);
    for (const oldest of this.#jobs.keys()) {
      if (this.#jobs.size <= LIMIT) break;
      this.#jobs.delete(oldest);
    }
  }

  forget(job: JobId): void {
    this.#jobs.delete(formatJobId(job));
  }
}

/** Whether a job with these events is open or has ended; undefined if they do not show it. */
export function standingOf(events: readonly StoredEvent[]): 'open' | 'ended' | undefined {
  for (let i = events.length - 1; i >= 0; i -= 1) {
    const standing = standingAfter(events[i] as StoredEvent);
    if (standing) return standing;
  }
  return undefined;
}

export function standingAfter({ event }: Pick<StoredEvent, 'event'>): 'open' | 'ended' | undefined {
  const state = STATE_AFTER[event.type];
  return state && (isTerminal(state) ? 'ended' : 'open');
}
