import type { Metrics } from '../telemetry/metrics.ts';
import type { Journal } from './journal.ts';

/** A journal whose appends are timed. */
export function measuredJournal(
  journal: Journal,
  { journalSeconds }: Pick<Metrics, 'journalSeconds'>,
): Journal {
  return {
    id: journal.id,
    writer: journal.writer,
    ledger: journal.ledger,
    async append(job, n, event, options) {
      const begin = performance.now();
      await journal.append(job, n, event, options);
      journalSeconds.since(begin);
    },
    read: (job, options) => journal.read(job, options),
    openJobs: (options) => journal.openJobs(options),
    endedJobs: (before, options) => journal.endedJobs(before, options),
    tail: (after, options) => journal.tail(after, options),
    position: () => journal.position(),
    purge: (job, last) => journal.purge(job, last),
    close: () => journal.close(),
  };
}
