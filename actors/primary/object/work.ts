import { setMaxListeners } from 'node:events';
import { Cancelled, Retryable, type SealionError, type Terminal, throwIfAborted } from '#protocols/errors';
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
  /** Ends our answer in the directory. */
  readonly leaveDirectory: () => Promise<void>;
  /** Orders of the supervisor handled so far. */
  handled: number;
  /** What is in work beside the mailbox. */
  effort: Effort;
  /** The request that is being taken. */
  taking?: Taking;
  /** Requests taken so far: their numbers. */
  takings: number;
  /** The right to bring the job forward. */
  lease?: JobLease;
  /** True after an upload: its queue entry may well come to this node. */
  awaitsLease: boolean;
  /** True when this incarnation has stored the payload itself and need not look for it. */
  storedPayload: boolean;
  replication?: Replication;
  /** Rounds of columns begun so far: their numbers. */
  rounds: number;
  /** Rejects signed under this lease. */
  rejectsSigned: number;
  /** Hash of the seal that was signed here and has not been broadcast. */
  newSeal?: string;
  /** Seals signed again at once under this lease. */
  sealsSignedAgain: number;
}

/**
 * What a message has come to. `advance`: the next step follows from the job's state, and is to be taken now.
 * `wait`: some message will come, or there is nothing left to do.
 */
export type Next = 'advance' | 'wait';

/** All work beside the mailbox, until a new upload takes its place. Its late messages are known by the number. */
export interface Effort {
  readonly number: number;
  readonly controller: AbortController;
}

/** One round of columns on their way, from the spawn of their replicators to the end of the last. */
export interface Replication {
  readonly number: number;
  /** Columns whose replicator is at work. */
  readonly open: Set<number>;
  /** Why the others failed. */
  readonly lost: Map<number, SealionError>;
  readonly cancelTimer: () => void;
}

/** One request with a payload, or a part of it, until its client has an answer. */
export interface Taking {
  readonly number: number;
  readonly client: Reply<Acknowledgement>;
  readonly part?: UploadPart;
  readonly account: string;
  readonly body: PayloadStream;
  /** False once the uploader has reported. */
  receiving: boolean;
}

/** Changes the job, unless the lease under which we act is over: then another node may have it by now. */
export async function record(work: Work, order: Order): Promise<JobContext> {
  throwIfAborted(work.lease?.signal);
  return await work.log.record(order);
}

/** The request is not taken; the job may go on all the same. */
export function refuseClient(work: Work, error: SealionError): void {
  work.taking?.client.reject(error);
  delete work.taking;
}

/** How soon the supervisor hears again that we are idle, when its mailbox was full; ms. */
const REPORT_AGAIN_MS = 1_000;

/** Tells the supervisor when nothing is left to do for now: it may stop us then. */
export function reportIdle(work: Work): void {
  if (work.taking || work.lease || work.awaitsLease) return;
  const { ctx, log, parent, job, handled } = work;
  const { state = 'no job' } = log.current ?? {};
  const trouble = log.current && troubleOf(log.current);
  ctx.say({
    doing: `idle (${state})${trouble ? `: ${trouble.message}` : ''}`,
    ...(trouble?.nextTryAt !== undefined && { nextTryAt: trouble.nextTryAt }),
  });
  if (!parent.tell({ type: 'idle', job, handled })) ctx.after(REPORT_AGAIN_MS, { type: 'still-idle' });
}

/** Lets the work queue forget the job: it has ended, or waits for a client. */
export async function releaseJob(work: Work): Promise<void> {
  const { lease } = work;
  delete work.lease;
  await lease?.done();
}

/** Gives the job back to the work queue until the next try. @param untilMs unix ms */
export async function postponeJob(work: Work, untilMs: number): Promise<void> {
  const { lease } = work;
  delete work.lease;
  await lease?.postpone(Math.max(0, untilMs - Date.now()));
}

/** An effort that ends with the incarnation. One signal serves all that is in work: making one of several costs much. */
export function beginEffort(number: number, incarnation: AbortSignal): Effort {
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(0, signal);
  const end = () => controller.abort(incarnation.reason);
  if (incarnation.aborted) end();
  incarnation.addEventListener('abort', end, { once: true, signal });
  return { number, controller };
}

/** Work beside the mailbox that ends with the lease, and with `endEffort`. */
export function pipe<R>(
  work: Work,
  run: (signal: AbortSignal) => Promise<R>,
  onDone: (outcome: Outcome<R>) => ObjectMessage,
): void {
  const { number, controller } = work.effort;
  work.ctx.pipe(
    () => run(controller.signal),
    (outcome) => ({ type: 'piped', effort: number, message: onDone(outcome) }),
  );
}

/**
 * Stops whatever is in work, and lets the work queue forget the job, because a new upload takes its place: nothing
 * that was begun for other content may come to its end.
 */
export async function endEffort(work: Work, why: Terminal): Promise<void> {
  const { ctx, replication } = work;
  refuseClient(work, why);
  replication?.cancelTimer();
  delete work.replication;
  const { number, controller } = work.effort;
  controller.abort(new Cancelled({ code: 'upload-replaced', message: 'A new upload replaces it.' }));
  work.effort = beginEffort(number + 1, ctx.signal);
  work.storedPayload = false;
  work.awaitsLease = false;
  const names = ['uploader', 'encoder', 'sealer', ...Array.from(replication?.open ?? [], replicatorName)];
  await Promise.all(names.flatMap((name) => ctx.child<never>(name) ?? []).map((child) => ctx.stop(child)));
  await releaseJob(work);
}

/** The child that brings one column to its secondary. */
export function replicatorName(redundancyIndex: number): string {
  return `replicator/${redundancyIndex}`;
}

/**
 * When a phase that failed is tried again, unix ms: as the failure says, or after the job's back-off.
 * @param failedTries so many have failed before this one
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

/** A failed try of a phase, in the log of the node as well. */
export function logFailure(work: Work, phase: string, error: SealionError): void {
  work.ctx.log.warn({ error, phase }, 'a phase of the job failed');
}

/** Long enough that a job whose actor fails at once keeps no node busy, short enough to go on soon. */
const REDELIVERY: BackoffLimits = { minMs: 1_000, maxMs: 30_000 };

/** How soon a job whose actor has stopped in the middle of its work is delivered again; ms. */
export function redeliverMs(lease: Lease): number {
  return backoffMs(lease.delivery, Math.random(), REDELIVERY);
}
