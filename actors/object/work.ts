import { toSealionError } from '../../protocols/errors.ts';
import type { JobContext, SignedTransaction } from '../../protocols/job/context.ts';
import type { JobId } from '../../protocols/job/identity.ts';
import type { Context, Ended, Outcome, Ref, Reply } from '../../runtime/actors/types.ts';
import type { Lease } from '../../runtime/jobs/job-queue.ts';
import type { Allocation } from '../allocation.ts';
import type { JobLog } from '../job-log.ts';
import type { Acknowledgement, UploadRequest } from '../messages.ts';
import type { PrimaryPorts } from '../ports.ts';
import type { RejectResult } from '../rejection.ts';
import type { ReplicatorReport } from '../replicator.ts';
import type { SealerMessage, SealerReport } from '../sealer.ts';
import type { UploaderReport } from '../uploader.ts';
import type { ChainView } from './chain-view.ts';

/** What the supervisor `objects` sends to an object actor. */
export type ObjectOrder =
  | { readonly type: 'upload'; readonly request: UploadRequest; readonly reply: Reply<Acknowledgement> }
  | { readonly type: 'lease'; readonly lease: Lease }
  | { readonly type: 'progress'; readonly reply: Reply<JobContext | undefined> };

/** What an object actor tells its supervisor: nothing is left to do; it has handled so many orders. */
export interface Idle {
  readonly type: 'idle';
  readonly job: JobId;
  readonly handled: number;
}

/** Everything that arrives in an object actor's mailbox. */
export type ObjectMessage =
  | ObjectOrder
  | UploaderReport
  | ReplicatorReport
  | SealerReport
  | { readonly type: 'uploader-ended'; readonly attempt: number; readonly end: Ended }
  | { readonly type: 'enqueued'; readonly outcome: Outcome<unknown> }
  | { readonly type: 'lease-lost' }
  | { readonly type: 'lease-awaited' }
  | { readonly type: 'looked'; readonly outcome: Outcome<ChainView> }
  | { readonly type: 'allocated'; readonly outcome: Outcome<Allocation> }
  | { readonly type: 'replicator-ended'; readonly redundancyIndex: number; readonly end: Ended }
  | { readonly type: 'reject-signed'; readonly outcome: Outcome<SignedTransaction> }
  | { readonly type: 'rejected'; readonly outcome: Outcome<RejectResult> };

export interface ObjectOptions {
  readonly job: JobId;
  readonly ports: PrimaryPorts;
  readonly parent: Ref<Idle>;
}

/** What one incarnation of an object actor holds. */
export interface Work {
  readonly job: JobId;
  readonly ports: PrimaryPorts;
  readonly parent: Ref<Idle>;
  readonly log: JobLog;
  readonly ctx: Context<ObjectMessage>;
  /** Ends our answer in the directory. */
  readonly disown: () => Promise<void>;
  /** Orders of the supervisor handled so far. */
  handled: number;
  /** The client that waits for its acknowledgement. */
  client?: Reply<Acknowledgement>;
  lease?: Lease;
  sealer?: Ref<SealerMessage>;
  /** Columns on their way, and why others failed. */
  readonly columns: Set<number>;
  readonly lostColumns: Map<number, Ended>;
}

/** What to do with the job ended for now: the supervisor may stop us. */
export function idle(work: Work): void {
  const state = work.log.current?.state;
  work.ctx.say({ doing: state ? `at rest in ${state}` : 'at rest' });
  work.parent.tell({ type: 'idle', job: work.job, handled: work.handled });
}

/** Lets the work queue forget the job: it has ended, or waits for a client. */
export async function settle(work: Work): Promise<void> {
  const { lease } = work;
  delete work.lease;
  await lease?.done();
  idle(work);
}

/** Gives the job back to the work queue until the next try. */
export async function park(work: Work, untilMs: number): Promise<void> {
  const { lease } = work;
  delete work.lease;
  await lease?.postpone(Math.max(0, untilMs - Date.now()));
  idle(work);
}

/** Signal for everything that acts on the job: ends with this incarnation and with the lease. */
export function leased(work: Work, signal: AbortSignal): AbortSignal {
  return work.lease ? AbortSignal.any([signal, work.lease.signal]) : signal;
}

/** Work beside the mailbox that needs the lease. */
export function pipeLeased<R>(
  work: Work,
  run: (signal: AbortSignal) => Promise<R>,
  onDone: (outcome: Outcome<R>) => ObjectMessage,
): void {
  work.ctx.pipe((signal) => run(leased(work, signal)), onDone);
}

/** The failed try of a phase, told to the log of the node as well. */
export function logFailure(work: Work, phase: string, error: unknown): void {
  work.ctx.log.warn({ error: toSealionError(error), phase }, 'a phase of the job failed');
}
