import type { ChosenGroup } from '#protocols/approval/choose-group';
import type { Hex } from '#protocols/greenfield/types';
import type { FailedTry } from '#protocols/job/commands';
import type { JobContext, SignedTransaction } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { Ended, Outcome, Reply } from '#runtime/actors/types';
import type { Lease } from '#runtime/jobs/job-queue';
import type { Acknowledgement, UploadRequest } from '../../messages.ts';
import type { ReplicatorReport } from '../replicate/replicator.ts';
import type { Gone, Settled } from '../seal/chain-status.ts';
import type { RejectResult } from '../seal/reject-on-chain.ts';
import type { SealResult } from '../seal/seal-on-chain.ts';
import type { UploaderReport } from '../upload/uploader.ts';
import type { Findings } from './recovery-check.ts';
import type { StoredPayload } from './stored-payload.ts';

/** The right to work on a job, and its place among the jobs in work. */
export interface JobLease extends Lease {
  /** What is left to do is to wait for others: the next job may begin. */
  readonly onlyWaits?: () => void;
}

/** What the supervisor `objects` sends to an object actor. */
export type ObjectOrder =
  | { readonly type: 'upload'; readonly request: UploadRequest; readonly reply: Reply<Acknowledgement> }
  | { readonly type: 'lease'; readonly lease: JobLease }
  | { readonly type: 'progress'; readonly reply: Reply<JobContext | undefined> };

/** What an object actor tells its supervisor: nothing is left to do; it has handled so many orders. */
export interface Idle {
  readonly type: 'idle';
  readonly job: JobId;
  readonly handled: number;
}

/**
 * Everything that arrives in an object actor's mailbox. What comes of something that may have been given up meanwhile
 * carries its number: `taking` the request, `effort` the work beside the mailbox, `round` the columns on their way.
 */
export type ObjectMessage =
  | ObjectOrder
  | UploaderReport
  | { readonly type: 'uploader-ended'; readonly taking: number; readonly end: Ended }
  /** What has come of some work beside the mailbox; dropped when a new upload has ended that effort. */
  | { readonly type: 'piped'; readonly effort: number; readonly message: ObjectMessage }
  /** All segments of the request are stored; whether the chain still waits for them. */
  | {
      readonly type: 'asked-before-answer';
      readonly checksums: readonly Hex[];
      readonly outcome: Outcome<Gone | undefined>;
    }
  | { readonly type: 'payload-inspected'; readonly outcome: Outcome<StoredPayload> }
  | { readonly type: 'enqueued'; readonly outcome: Outcome<unknown> }
  | { readonly type: 'lease-awaited' }
  | { readonly type: 'recovery-checked'; readonly outcome: Outcome<Findings> }
  | { readonly type: 'allocated'; readonly outcome: Outcome<ChosenGroup> }
  | ReplicatorReport
  | {
      readonly type: 'replicator-ended';
      readonly round: number;
      readonly redundancyIndex: number;
      readonly end: Ended;
    }
  /** The job's deadline has come while columns are on their way. */
  | { readonly type: 'overdue' }
  /** What the check of our own segments, after columns had failed, has found amiss. */
  | {
      readonly type: 'segments-checked';
      readonly failure: FailedTry;
      readonly outcome: Outcome<string | undefined>;
    }
  | { readonly type: 'signed'; readonly outcome: Outcome<SignedTransaction> }
  | { readonly type: 'seal-settled'; readonly outcome: Outcome<SealResult> }
  | { readonly type: 'reject-signed'; readonly outcome: Outcome<SignedTransaction | Settled> }
  | { readonly type: 'reject-settled'; readonly outcome: Outcome<RejectResult> }
  | { readonly type: 'still-idle' };
