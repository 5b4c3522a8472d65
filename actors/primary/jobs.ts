import { toSealionError } from '#protocols/errors';
import type { Behaviour, Outcome, Ref } from '#runtime/actors/types';
import type { JobQueue } from '#runtime/jobs/job-queue';
import type { ObjectsInbox } from './objects.ts';

type JobsMessage = { readonly type: 'ended'; readonly outcome: Outcome<void> };

export interface JobsOptions {
  readonly queue: JobQueue;
  readonly objects: Ref<ObjectsInbox>;
  /** How many jobs this node works on at once. */
  readonly limit: number;
}

/** Pulls the work queue and hands each lease to the object's owner. */
export function jobs({ queue, objects, limit }: JobsOptions): Behaviour<JobsMessage, undefined> {
  return {
    kind: 'jobs',
    start(ctx) {
      ctx.say({ doing: 'pulling the work queue', waitsFor: 'the next job' });
      ctx.pipe(
        async (signal) => {
          for await (const lease of queue.leases({ limit, signal })) {
            if (!objects.tell({ type: 'lease', lease })) await lease.postpone(1_000);
          }
        },
        (outcome) => ({ type: 'ended', outcome }),
      );
      return undefined;
    },
    receive(_state, { outcome }) {
      // The queue ends only with our own stop; anything else restarts the pull.
      throw toSealionError(outcome.ok ? new Error('the work queue ended') : outcome.error);
    },
  };
}
