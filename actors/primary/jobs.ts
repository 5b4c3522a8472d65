import { toSealionError } from '#protocols/errors';
import type { Behaviour, Outcome, Ref } from '#runtime/actors/types';
import type { JobQueue, Lease } from '#runtime/jobs/job-queue';
import type { Background } from '#runtime/load/background';
import type { JobLease } from './object/messages.ts';
import type { ObjectsInbox } from './objects.ts';

type JobsMessage = { readonly type: 'ended'; readonly outcome: Outcome<void> };

export interface JobsOptions {
  readonly queue: JobQueue;
  readonly objects: Ref<ObjectsInbox>;
  /** How many leases this node holds at once. */
  readonly limit: number;
  /** When another job may be started: clients come first. */
  readonly background: Pick<Background, 'untilJobMayStart' | 'jobStarted'>;
}

/** Pulls the work queue and hands each lease to the object's owner. What has no place yet stays in the queue. */
export function jobs({ queue, objects, limit, background }: JobsOptions): Behaviour<JobsMessage, undefined> {
  return {
    kind: 'jobs',
    start(ctx) {
      const doing = 'pulling the work queue';
      ctx.pipe(
        async (signal) => {
          const room = () => background.untilJobMayStart(signal, (why) => ctx.say({ doing, waitsFor: why }));
          await room();
          ctx.say({ doing, waitsFor: 'the next job' });
          for await (const lease of queue.leases({ limit, signal })) {
            const held = withPlace(lease, background.jobStarted());
            if (!objects.tell({ type: 'lease', lease: held })) await held.postpone(1_000);
            await room();
            ctx.say({ doing, waitsFor: 'the next job' });
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

/** However the lease ends, the place is free again. */
function withPlace(lease: Lease, leavePlace: () => void): JobLease {
  const { job, delivery, signal } = lease;
  signal.addEventListener('abort', leavePlace, { once: true });
  return {
    job,
    delivery,
    signal,
    freeSlot: leavePlace,
    done: () => {
      leavePlace();
      return lease.done();
    },
    postpone: (delayMs) => {
      leavePlace();
      return lease.postpone(delayMs);
    },
  };
}
