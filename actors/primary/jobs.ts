import { toSealionError } from '#protocols/errors';
import type { Behaviour, Context, Outcome, Ref } from '#runtime/actors/types';
import type { JobQueue, Lease } from '#runtime/jobs/job-queue';
import type { Background } from '#runtime/load/background';
import type { JobLease } from './object/messages.ts';
import type { ObjectsInbox } from './objects.ts';

export type JobsMessage =
  /** From now on the queue is left to other nodes: this one is about to stop, or drains until `undrain`. */
  { readonly type: 'drain' } | { readonly type: 'undrain' };

/** A pull of the queue: `over` has been aborted if it was to end. */
type Message =
  | JobsMessage
  | { readonly type: 'ended'; readonly over: AbortSignal; readonly outcome: Outcome<void> };

export interface JobsOptions {
  readonly queue: JobQueue;
  readonly objects: Ref<ObjectsInbox>;
  /** Maximum number of leases held by this node at once. */
  readonly limit: number;
  /** Decides when another job may start: clients come first. */
  readonly background: Pick<Background, 'untilJobMayStart' | 'jobStarted'>;
}

/**
 * Pulls the work queue and passes each lease to the owner of the object. A job that may not start yet stays in the
 * queue.
 */
export function jobs({
  queue,
  objects,
  limit,
  background,
}: JobsOptions): Behaviour<JobsMessage, AbortController> {
  const behaviour: Behaviour<Message, AbortController> = {
    kind: 'jobs',
    start: pull,
    receive(draining, message, ctx) {
      switch (message.type) {
        case 'drain':
          draining.abort();
          ctx.say({ doing: 'leaving the work queue to other nodes: this node is draining' });
          break;
        case 'undrain':
          return draining.signal.aborted ? pull(ctx) : draining;
        case 'ended': {
          if (message.over.aborted) break;
          // The queue ends only when this actor stops; anything else restarts the pull.
          const { outcome } = message;
          throw toSealionError(outcome.ok ? new Error('the work queue ended') : outcome.error);
        }
      }
      return draining;
    },
  };
  return behaviour;

  /** Pulls until this actor stops, or the controller that it returns is aborted. */
  function pull(ctx: Context<Message>): AbortController {
    const doing = 'pulling the work queue';
    const draining = new AbortController();
    ctx.pipe(
      async (stopping) => {
        const signal = AbortSignal.any([stopping, draining.signal]);
        const room = () => background.untilJobMayStart(signal, (why) => ctx.say({ doing, waitsFor: why }));
        await room();
        ctx.say({ doing, waitsFor: 'the next job' });
        for await (const lease of queue.leases({ limit, signal })) {
          const held = withSlot(lease, background.jobStarted());
          if (!objects.tell({ type: 'lease', lease: held })) await held.postpone(1_000);
          await room();
          ctx.say({ doing, waitsFor: 'the next job' });
        }
      },
      (outcome) => ({ type: 'ended', over: draining.signal, outcome }),
    );
    return draining;
  }
}

/** Frees the slot of the job, however the lease ends. */
function withSlot(lease: Lease, freeSlot: () => void): JobLease {
  const { job, delivery, signal, isHastened } = lease;
  signal.addEventListener('abort', freeSlot, { once: true });
  return {
    job,
    delivery,
    signal,
    ...(isHastened && { isHastened }),
    freeSlot,
    mustHold: () => lease.mustHold(),
    done: () => {
      freeSlot();
      return lease.done();
    },
    postpone: (delayMs) => {
      freeSlot();
      return lease.postpone(delayMs);
    },
  };
}
