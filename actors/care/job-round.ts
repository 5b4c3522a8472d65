import { Terminal } from '../../protocols/errors.ts';
import { formatJobId, type JobId } from '../../protocols/job/identity.ts';
import { isFromUploadDone, isTerminal, type JobStateName } from '../../protocols/job/states.ts';
import type { JobQueue } from '../../runtime/jobs/job-queue.ts';
import type { Journal } from '../../runtime/journal/journal.ts';
import type { Logger } from '../../runtime/telemetry/logger.ts';
import { readJob } from '../job-log.ts';
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
  let ended: ReadonlySet<string> = new Set();
  return {
    doing: 'looking for jobs that nobody works on',
    everyMs: timing.jobsEveryMs,
    async run(signal) {
      const stillEnded = new Set<string>();
      let queued = 0;
      for await (const job of journal.jobs({ signal })) {
        const name = formatJobId(job);
        const state = ended.has(name) ? undefined : await stateOf(job, signal);
        if (ended.has(name) || (state && isTerminal(state))) stillEnded.add(name);
        else if (state && isFromUploadDone(state) && (await queue.enqueue(job, { signal })) === 'queued') {
          queued += 1;
        }
      }
      ended = stillEnded;
      return queued === 0 ? undefined : `${queued} jobs that nobody worked on are queued again`;
    },
  };

  /** One damaged history must not keep the others from being found. */
  async function stateOf(job: JobId, signal: AbortSignal): Promise<JobStateName | undefined> {
    try {
      return (await readJob(job, journal, signal))?.state;
    } catch (error) {
      if (!(error instanceof Terminal)) throw error;
      log.error({ error, job: formatJobId(job) }, 'the history of a job cannot be read');
      return undefined;
    }
  }
}
