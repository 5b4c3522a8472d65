import { isFromUploadDone } from '#protocols/job/states';
import type { JobQueue } from '#runtime/jobs/job-queue';
import type { Journal } from '#runtime/journal/journal';
import type { Logger } from '#runtime/telemetry/logger';
import { readHistory } from './read-history.ts';
import type { Round } from './round.ts';

export interface UploadRoundOptions {
  readonly journal: Journal;
  readonly queue: JobQueue;
  readonly timing: { readonly uploadsEveryMs: number };
}

/**
 * Enqueues the jobs whose payload was not complete by its deadline. Their owner deletes the received parts, and
 * ends the job if the object is gone from the chain.
 */
export function uploadRound({ journal, queue, timing }: UploadRoundOptions, log: Logger): Round {
  return {
    doing: 'looking for uploads past their deadline',
    everyMs: timing.uploadsEveryMs,
    async run(signal) {
      let queued = 0;
      for await (const job of journal.openJobs({ signal })) {
        const context = await readHistory(job, { journal, log, signal });
        if (!context || isFromUploadDone(context.state) || Date.now() < context.deadlineAt) continue;
        if ((await queue.enqueue(job, { signal })) === 'queued') queued += 1;
      }
      return queued === 0 ? undefined : `queued ${queued} uploads that missed their deadline`;
    },
  };
}
