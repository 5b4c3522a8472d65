import { SealionError } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import type { Reply } from '#runtime/actors/types';
import { endOverdue } from './replicating.ts';
import { type Next, record, type Work } from './work.ts';

/** What the job machine, and not a fault, says no with. */
const REFUSALS: ReadonlySet<string> = new Set(['job-transition', 'job-unknown']);

/**
 * Ends a job before its deadline, as an operator wants it: from now on it is overdue, and what follows is what follows
 * a deadline. A phase in progress ends first; only a replication is stopped.
 */
export async function giveUp(work: Work, by: string, reply: Reply<JobContext>): Promise<Next> {
  try {
    reply.resolve(await record(work, { type: 'GiveUp', by }));
  } catch (thrown) {
    if (!(thrown instanceof SealionError) || !REFUSALS.has(thrown.code)) throw thrown;
    reply.reject(thrown);
    return 'wait';
  }
  return endOverdue(work);
}
