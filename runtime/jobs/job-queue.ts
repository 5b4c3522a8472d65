import type { JobId } from '#protocols/job/identity';

/**
 * The durable work queue of one SP: at most one entry per job (ARCHITECTURE.md#the-two-nats-planes, `JOBS`). The un-acked message is the
 * lease on the job.
 */
export interface JobQueue {
  /** Resolves when the entry is durable. `already-queued` is success. */
  enqueue(job: JobId, options?: { readonly signal?: AbortSignal }): Promise<'queued' | 'already-queued'>;
  /** Leases as they come, at most `limit()` held at once, until the signal fires. */
  leases(options: { readonly limit: number; readonly signal: AbortSignal }): AsyncIterable<Lease>;
  /**
   * Delivers a waiting entry at once, whatever time it was postponed to; its lease says so (`isHastened`). A job
   * without an entry gets one. Whoever holds a lease on it loses nothing but its entry: call it only when nobody works
   * on the job.
   */
  hasten(job: JobId): Promise<void>;
  /** How many jobs have an entry, leased or not, and when the oldest was queued, unix ms. */
  waiting(options?: { readonly signal?: AbortSignal }): Promise<Waiting>;
  /** True while the job has an entry, leased or not. */
  has(job: JobId): Promise<boolean>;
}

export interface Waiting {
  readonly entries: number;
  readonly oldestAt?: number;
}

/**
 * The right to work on a job. Renewed by itself every third of ack_wait until `done` or `postpone`; `signal`
 * fires when the last accepted renewal is older than ack_wait on the monotonic clock: stop before the next effect.
 * Settled once: after `done` or `postpone` both do nothing.
 */
export interface Lease {
  readonly job: JobId;
  /** From 1. */
  readonly delivery: number;
  /** True when somebody wants the job to be tried now, before its time. */
  readonly isHastened?: boolean;
  readonly signal: AbortSignal;
  /**
   * To be called right before an effect: a process that was suspended may come here before `signal` has fired.
   * @throws Cancelled `lease-lost`
   */
  mustHold(): void;
  /** The job has ended; the entry goes. */
  done(): Promise<void>;
  /** Gives the job back, to be delivered again after `delayMs` (at most 10 min). */
  postpone(delayMs: number): Promise<void>;
}
