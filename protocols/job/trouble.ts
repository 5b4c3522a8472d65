import type { Failure, JobContext, RejectFailure } from './context.ts';

/** What stands in the way of a job, for those who watch it: once it is overdue, what keeps it from its end. */
export function troubleOf({
  failure,
  rejectFailure,
}: Pick<JobContext, 'failure' | 'rejectFailure'>): (RejectFailure & Pick<Failure, 'nextTryAt'>) | undefined {
  return rejectFailure ?? failure;
}
