import type { Journal } from './journal.ts';

/**
 * A journal that asks before each append whether its writer may still write.
 * @param check throws Terminal `journal-fenced` when it may not
 */
export function fencedJournal(journal: Journal, check: () => Promise<void>): Journal {
  return {
    id: journal.id,
    writer: journal.writer,
    ledger: journal.ledger,
    async append(job, n, event, options) {
      await check();
      await journal.append(job, n, event, options);
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
