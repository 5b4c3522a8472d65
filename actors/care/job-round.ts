import { formatJobId } from '../../protocols/job/identity.ts';
import { isFromUploadDone, isTerminal } from '../../protocols/job/states.ts';
import type { JobQueue } from '../../runtime/jobs/job-queue.ts';
import type { Journal } from '../../runtime/journal/journal.ts';
import type { Logger } from '../../runtime/telemetry/logger.ts';
import { readHistory } from './read-history.ts';
import type { Round } from './round.ts';

export interface JobRoundOptions {
  readonly journal: Journal;
  readonly queue: JobQueue;
  readonly timing: { readonly jobsEveryMs: number };
}

/**
 * Enqueues every acknowledged job that has not ended. The queue holds one entry per job and refuses a second
 * one, queued or leased, so exactly those get one that have none.
 */
export function jobRound({ journal, queue, timing }: JobRoundOptions, log: Logger): Round {
  /** Jobs of the round before that need not be read again. */
  let ended: ReadonlySet<string> = new Set();
  return {
    doing: 'looking for jobs that nobody works on',
    everyMs: timing.jobsEveryMs,
    async run(signal) {
      const stillEnded = new Set<string>();
      let queued = 0;
      for await (const job of journal.jobs({ signal })) {
        const name = formatJobId(job);
        const state = ended.has(name) ? undefined : (await readHistory(job, { journal, log, signal }))?.state;
        if (ended.has(name) || (state && isTerminal(state))) stillEnded.add(name);
        else if (state && isFromUploadDone(state) && (await queue.enqueue(job, { signal })) === 'queued') {
          queued += 1;
        }
      }
      ended = stillEnded;
      return queued === 0 ? undefined : `${queued} jobs that nobody worked on are queued again`;
    },
  };
}
