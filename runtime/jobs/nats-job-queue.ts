import { throwIfAborted } from '#protocols/errors';
import { formatJobId, type JobId, parseJobId } from '#protocols/job/identity';
import { orAborted } from '../async/or-aborted.ts';
import { Semaphore } from '../async/semaphore.ts';
import { noSizes, type Sizes } from '../telemetry/sizes.ts';
import type { JobQueue, Lease, Waiting } from './job-queue.ts';
import { MessageLease } from './message-lease.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

const SUBJECTS = 'jobs.replicate.';
const CONSUMER = 'workers';
/** Body of an entry that is to be worked on before its time. */
const HASTENED = 'now';
const LONGEST_DELAY_MS = 10 * 60_000;

export interface JobQueueOptions extends WorkQueueOptions {
  /**
   * True when it is known that whoever holds leases is gone: their jobs are given out at once, and so are those that
   * were postponed, rather than after ack_wait. A holder that is alive all the same would go on besides the next.
   */
  readonly freesLeases?: boolean;
  /** Shown how many leases are held. */
  readonly sizes?: Sizes;
}

/**
 * Opens the SP's work queue, and makes the stream `JOBS` where there is none (ARCHITECTURE.md#the-two-nats-planes).
 * @throws Terminal `stream-unfit`, `bad-ack-wait`; Retryable `nats-unavailable`
 */
export async function openJobQueue(options: JobQueueOptions): Promise<JobQueue> {
  const { freesLeases = false, sizes = noSizes, ...queueOptions } = options;
  const queue = await WorkQueue.open('JOBS', `${SUBJECTS}>`, queueOptions);
  if (freesLeases) await queue.free(CONSUMER);
  return new NatsJobQueue(queue, sizes);
}

class NatsJobQueue implements JobQueue {
  readonly #queue: WorkQueue;
  readonly #sizes: Sizes;

  constructor(queue: WorkQueue, sizes: Sizes) {
    this.#queue = queue;
    this.#sizes = sizes;
  }

  async enqueue(
    job: JobId,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<'queued' | 'already-queued'> {
    throwIfAborted(options.signal);
    const isNew = await orAborted(this.#queue.publish(subjectOf(job)), options.signal);
    return isNew ? 'queued' : 'already-queued';
  }

  async *leases(options: {
    readonly limit: number;
    readonly signal: AbortSignal;
  }): AsyncGenerator<Lease, void, undefined> {
    const semaphore = new Semaphore(options.limit);
    this.#sizes.watchBound({
      what: 'leases',
      unit: 'items',
      limit: () => semaphore.count,
      used: () => semaphore.used,
    });
    while (await semaphore.acquire(options.signal)) {
      const message = await this.#queue.pull(CONSUMER, `${SUBJECTS}>`, options.signal);
      if (!message) return;
      const { connection, ackWaitMs, notes, onLost } = this.#queue;
      const held = new MessageLease({
        connection,
        message,
        ackWaitMs,
        notes,
        onLost,
        onEnd: () => semaphore.release(),
      });
      await held.noted;
      const job = await this.#jobOf(message.subject, held);
      if (!job) continue;
      yield {
        job,
        delivery: message.delivery,
        ...(message.body === HASTENED && message.delivery === 1 && { isHastened: true }),
        signal: held.signal,
        mustHold: () => held.mustHold(),
        done: () => held.ack(),
        postpone: (delayMs) => held.giveBack(Math.min(delayMs, LONGEST_DELAY_MS)),
      };
    }
  }

  async hasten(job: JobId): Promise<void> {
    await this.#queue.replace(subjectOf(job), HASTENED);
  }

  async waiting(options: { readonly signal?: AbortSignal } = {}): Promise<Waiting> {
    throwIfAborted(options.signal);
    return await orAborted(this.#queue.waiting(), options.signal);
  }

  async has(job: JobId): Promise<boolean> {
    return await this.#queue.has(subjectOf(job));
  }

  /** An entry that is not a valid job was put there by hand; it is logged and removed. */
  async #jobOf(subject: string, held: MessageLease): Promise<JobId | undefined> {
    try {
      return parseJobId(subject.slice(SUBJECTS.length));
    } catch (error) {
      this.#queue.log.error({ error, subject }, 'removed a queue entry that is not a valid job');
      await held.ack();
      return undefined;
    }
  }
}

/** `jobs.replicate.<object id>.<version>` */
function subjectOf(job: JobId): string {
  return SUBJECTS + formatJobId(job);
}
