import { isFromUploadDone, isTerminal } from '#protocols/job/states';
import type { JobQueue } from '#runtime/jobs/job-queue';
import type { Journal } from '#runtime/journal/journal';
import type { Logger } from '#runtime/telemetry/logger';
import { readHistory } from './read-history.ts';
import type { Round } from './round.ts';

export interface JobRoundOptions {
  readonly journal: Journal;
  readonly queue: JobQueue;
  readonly timing: { readonly jobsEveryMs: number };
}

/**
 * Enqueues every acknowledged job that has not ended. The queue refuses a second entry for a job that is queued or
 * leased, so this adds only missing entries.
 */
export function jobRound({ journal, queue, timing }: JobRoundOptions, log: Logger): Round {
  return {
    heals: 'jobs',
    doing: 'looking for open jobs without a queue entry',
    everyMs: timing.jobsEveryMs,
    async run(signal) {
      let queued = 0;
      for await (const job of journal.openJobs({ signal })) {
        const state = (await readHistory(job, { journal, log, signal }))?.state;
        if (!state || !isFromUploadDone(state) || isTerminal(state)) continue;
        if ((await queue.enqueue(job, { signal })) === 'queued') queued += 1;
      }
      return queued === 0 ? undefined : `queued ${queued} open jobs again that had no queue entry`;
    },
  };
}
