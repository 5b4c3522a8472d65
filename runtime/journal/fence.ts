import { isDeepStrictEqual } from 'node:util';
import { type SealionError, Terminal } from '#protocols/errors';
import type { JobEvent } from '#protocols/job/events';
import { formatJobId, type JobId, parseJobId } from '#protocols/job/identity';
import type { StoredEvent } from './journal.ts';

/** An event that somebody wants to write. */
export interface Append {
  readonly job: JobId;
  readonly n: number;
  readonly event: JobEvent;
}

/** The events of a journal that appends are judged by, by `eventKey`. */
export type EventsByKey = Map<string, StoredEvent>;

/** What became of some appends: the events to write, and for each append why it was refused. */
export interface Judged {
  readonly fresh: readonly StoredEvent[];
  readonly refusals: readonly (SealionError | undefined)[];
}

/** Text that sorts as the jobs' events do. */
export function eventKey(job: JobId, n: number): string {
  return `${formatJobId(job)}/${String(n).padStart(9, '0')}`;
}

/** @throws Terminal `bad-job-id`, `bad-event-number` */
export function checkEvent(job: JobId, n: number): void {
  parseJobId(formatJobId(job));
  if (Number.isSafeInteger(n) && n >= 1 && n <= 999_999_999) return;
  throw new Terminal({
    code: 'bad-event-number',
    message: `Expected the number of an event, from 1 on, got ${n}.`,
  });
}

/**
 * Judges appends one by one, in their order, each as if those before it had been written
 * (ARCHITECTURE.md#one-owner-for-each-object).
 * @param known the events that are there under the numbers of the appends, and before them; the fresh ones are added
 */
export function judge(appends: readonly Append[], known: EventsByKey, writer: string): Judged {
  const fresh: StoredEvent[] = [];
  const refusals = appends.map(({ job, n, event }) => {
    const stored = { job, n, writer, event: asStored(event) };
    const there = known.get(eventKey(job, n));
    if (there) {
      const own = there.writer === writer && isDeepStrictEqual(there.event, stored.event);
      return own ? undefined : fenced(job, n, 'is already written');
    }
    if (n > 1 && !known.has(eventKey(job, n - 1))) return fenced(job, n, `has no event ${n - 1} before it`);
    fresh.push(stored);
    known.set(eventKey(job, n), stored);
    return undefined;
  });
  return { fresh, refusals };
}

/** The event as it will be read back. */
function asStored(event: JobEvent): JobEvent {
  return JSON.parse(JSON.stringify(event));
}

export function fenced(job: JobId, n: number, why: string): Terminal {
  return new Terminal({
    code: 'journal-fenced',
    message: `Event ${n} of job ${formatJobId(job)} ${why}: another owner has the job.`,
    advice: 'Stop working on the job; its new owner continues it.',
  });
}
