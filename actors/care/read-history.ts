import { Terminal } from '../../protocols/errors.ts';
import type { JobContext } from '../../protocols/job/context.ts';
import { formatJobId, type JobId } from '../../protocols/job/identity.ts';
import type { Journal } from '../../runtime/journal/journal.ts';
import type { Logger } from '../../runtime/telemetry/logger.ts';
import { readJob } from '../job-log.ts';

/** A job as the journal has it. A damaged history is logged: it must not keep the others from being looked after. */
export async function readHistory(
  job: JobId,
  { journal, log, signal }: { readonly journal: Journal; readonly log: Logger; readonly signal: AbortSignal },
): Promise<JobContext | undefined> {
  try {
    return await readJob(job, journal, signal);
  } catch (error) {
    if (!(error instanceof Terminal)) throw error;
    log.error({ error, job: formatJobId(job) }, 'the history of a job cannot be read');
    return undefined;
  }
}
