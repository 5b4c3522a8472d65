import { setMaxListeners } from 'node:events';
import { Cancelled, Retryable, type SealionError, type Terminal } from '#protocols/errors';
import { type BackoffLimits, backoffMs } from '#protocols/job/backoff';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import { troubleOf } from '#protocols/job/trouble';
import type { Context, Outcome, Ref, Reply } from '#runtime/actors/types';
import type { Lease } from '#runtime/jobs/job-queue';
import type { JobLog, Order } from '../../job-log.ts';
import type { Acknowledgement, PayloadStream, UploadPart } from '../../messages.ts';
import type { PrimaryPorts } from '../ports.ts';
import type { Idle, JobLease, ObjectMessage } from './messages.ts';

/** What one incarnation of an object actor holds. */
export interface Work {
  readonly job: JobId;
  readonly ports: PrimaryPorts;
  readonly parent: Ref<Idle>;
  readonly log: JobLog;
  readonly ctx: Context<ObjectMessage>;
  /** Removes this node's entry from the directory of owners. */
  readonly leaveDirectory: () => Promise<void>;
  /** Number of orders from the supervisor handled so far. */
  handled: number;
  /** All asynchronous work in progress. */
  generation: Generation;
  /** The client's request in progress. */
  intake?: Intake;
  /** Requests begun so far; the source of their numbers. */
  intakes: number;
  /** The right to work on the job (`leasing.ts`). */
  lease?: JobLease;
  /** True after an upload, while its queue entry may still be delivered to this node. */
  awaitsLease: boolean;
  /** True when this incarnation has stored the payload itself, so its segments need no check. */
  storedPayload: boolean;
  replication?: Replication;
  /** Replications begun so far; the source of their numbers. */
  rounds: number;
  /** True when the failed phase is to be tried before its time, under this lease. */
  isHastened: boolean;
  /** Number of rejects signed under this lease. */
  rejectsSigned: number;
  /** Hash of the seal that was signed here and has not been broadcast. */
  newSeal?: string;
  /** Number of seals signed again without a delay under this lease. */
  sealsSignedAgain: number;
}

/**
 * What to do after a message. `advance`: take the next step now, as the job's state determines.
 * `wait`: a message will follow, or nothing is left to do.
 */
export type Next = 'advance' | 'wait';

/**
 * All asynchronous work from one upload until a new upload replaces it. The messages of an earlier generation are
 * recognised by its number and dropped.
 */
export interface Generation {
  readonly number: number;
  readonly controller: AbortController;
}

/** One round of replication, from the start of its replicators to the end of the last. */
export interface Replication {
  readonly number: number;
  /** Redundancy indexes of the columns whose replicator is running. */
  readonly open: Set<number>;
  /** Errors of the columns that failed. */
  readonly lost: Map<number, SealionError>;
  readonly cancelTimer: () => void;
}

/** One request with a payload or a part of it, until its client has an answer. */
export interface Intake {
  readonly number: number;
  readonly client: Reply<Acknowledgement>;
  readonly part?: UploadPart;
  readonly account: string;
  readonly body: PayloadStream;
  /** False once the uploader has reported. */
  receiving: boolean;
}

/**
 * Persists a change of the job.
 * @throws Cancelled when the lease has been lost: another node may own the job by now
 */
export async function record(work: Work, order: Order): Promise<JobContext> {
  work.lease?.mustHold();
  return await work.log.record(order);
}

/** Rejects the client's request; the job itself may continue. */
export function refuseClient(work: Work, error: SealionError): void {
  work.intake?.client.reject(error);
  delete work.intake;
}

/** Delay before the report of being idle is repeated, if the supervisor's mailbox was full; ms. */
const REPORT_AGAIN_MS = 1_000;

/** Reports to the supervisor when nothing is left to do for now, so that it may stop this actor. */
export function reportIdle(work: Work): void {
  if (work.intake || work.lease || work.awaitsLease) return;
  const { ctx, log, parent, job, handled } = work;
  const { state = 'no job' } = log.current ?? {};
  const trouble = log.current && troubleOf(log.current);
  ctx.say({
    doing: `idle (${state})${trouble ? `: ${trouble.message}` : ''}`,
    ...(trouble?.nextTryAt !== undefined && { nextTryAt: trouble.nextTryAt }),
  });
  if (!parent.tell({ type: 'idle', job, handled })) ctx.after(REPORT_AGAIN_MS, { type: 'still-idle' });
}

/** Removes the job from the work queue: it has ended, or waits for a client. */
export async function releaseJob(work: Work): Promise<void> {
  const { lease } = work;
  delete work.lease;
  await lease?.done();
}

/** Returns the job to the work queue until the next try. @param untilMs unix ms */
export async function postponeJob(work: Work, untilMs: number): Promise<void> {
  const { lease } = work;
  delete work.lease;
  await lease?.postpone(Math.max(0, untilMs - Date.now()));
}

/**
 * A generation that ends at the latest with the actor's incarnation. All its work shares one signal, since combining
 * signals is expensive.
 */
export function beginGeneration(number: number, incarnation: AbortSignal): Generation {
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(0, signal);
  const end = () => controller.abort(incarnation.reason);
  if (incarnation.aborted) end();
  incarnation.addEventListener('abort', end, { once: true, signal });
  return { number, controller };
}

/** Runs asynchronous work of the current generation; it is aborted when the lease is lost, and by `endGeneration`. */
export function pipe<R>(
  work: Work,
  run: (signal: AbortSignal) => Promise<R>,
  onDone: (outcome: Outcome<R>) => ObjectMessage,
): void {
  const { number, controller } = work.generation;
  work.ctx.pipe(
    () => run(controller.signal),
    (outcome) => ({ type: 'piped', generation: number, message: onDone(outcome) }),
  );
}

/**
 * Stops all work in progress and removes the job from the work queue, because a new upload replaces it: nothing that
 * was begun for other content may complete.
 */
export async function endGeneration(work: Work, why: Terminal): Promise<void> {
  const { ctx, replication } = work;
  refuseClient(work, why);
  replication?.cancelTimer();
  delete work.replication;
  const { number, controller } = work.generation;
  controller.abort(new Cancelled({ code: 'upload-replaced', message: 'A new upload replaces it.' }));
  work.generation = beginGeneration(number + 1, ctx.signal);
  work.storedPayload = false;
  work.awaitsLease = false;
  const names = ['uploader', 'encoder', 'sealer', ...Array.from(replication?.open ?? [], replicatorName)];
  await Promise.all(names.flatMap((name) => ctx.child<never>(name) ?? []).map((child) => ctx.stop(child)));
  await releaseJob(work);
}

/** Name of the child that sends one column to its secondary. */
export function replicatorName(redundancyIndex: number): string {
  return `replicator/${redundancyIndex}`;
}

/**
 * When a failed phase is tried again, unix ms: after the delay that the error asks for, or the job's back-off.
 * @param failedTries number of failed tries before this one
 */
export function nextTryAt(
  work: Work,
  error?: SealionError,
  failedTries: number = work.log.context.failedTries,
): number {
  const asked = error instanceof Retryable ? error.retryAfterMs : undefined;
  const { backoff } = work.ports.timing;
  const delay = asked ?? backoffMs(failedTries + 1, Math.random(), backoff);
  return Date.now() + Math.min(delay, backoff.maxMs);
}

/** Persists why a phase failed and when it is tried again. */
export async function failPhase(
  work: Work,
  type: 'FailAllocation' | 'FailSigning' | 'FailSeal',
  error: SealionError,
  resume: JobStateName,
): Promise<Next> {
  logFailure(work, type, error);
  const { code, message, advice } = error;
  const { failedSeals, failedTries } = work.log.context;
  await record(work, {
    type,
    failure: {
      code,
      message,
      ...(advice !== undefined && { advice }),
      resume,
      nextTryAt: nextTryAt(work, error, type === 'FailSeal' ? failedSeals : failedTries),
    },
  });
  return 'advance';
}

/** Writes a failed try of a phase to the node's log. */
export function logFailure(work: Work, phase: string, error: SealionError): void {
  work.ctx.log.warn({ error, phase }, 'a phase of the job failed');
}

/** Long enough that a job whose actor fails at once does not keep a node busy, short enough to resume quickly. */
const REDELIVERY: BackoffLimits = { minMs: 1_000, maxMs: 30_000 };

/**
 * Delay before a job whose actor stopped during its work is delivered again, ms.
 * @param failure undefined when the actor was asked to stop: nothing is wrong with the job
 */
export function redeliverMs(lease: Lease, failure: unknown): number {
  return failure === undefined ? 0 : backoffMs(lease.delivery, Math.random(), REDELIVERY);
}
