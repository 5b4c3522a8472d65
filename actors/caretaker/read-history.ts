import { Terminal } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Journal } from '#runtime/journal/journal';
import type { Logger } from '#runtime/telemetry/logger';
import { readJob } from '../job-log.ts';

/** Reads a job from the journal. A damaged history is logged, since it must not affect other jobs. */
export async function readHistory(
  job: JobId,
  { journal, log, signal }: { readonly journal: Journal; readonly log: Logger; readonly signal: AbortSignal },
): Promise<JobContext | undefined> {
  try {
    return await readJob(job, journal, signal);
  } catch (error) {
    if (!(error instanceof Terminal)) throw error;
    log.error({ error, job: formatJobId(job) }, 'cannot read the history of a job');
    return undefined;
  }
}
