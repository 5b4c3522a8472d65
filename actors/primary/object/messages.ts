import type { ChosenGroup } from '#protocols/approval/choose-group';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import type { Hex } from '#protocols/greenfield/types';
import type { FailedTry } from '#protocols/job/commands';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { Ended, Outcome, Reply } from '#runtime/actors/types';
import type { Lease } from '#runtime/jobs/job-queue';
import type { Acknowledgement, UploadRequest } from '../../messages.ts';
import type { ReplicatorReport } from '../replicate/replicator.ts';
import type { FinalStatus, Gone } from '../seal/chain-status.ts';
import type { RejectResult } from '../seal/reject-on-chain.ts';
import type { SealResult } from '../seal/seal-on-chain.ts';
import type { UploaderReport } from '../upload/uploader.ts';
import type { Findings } from './recovery-check.ts';
import type { StoredPayload } from './stored-payload.ts';

/** The right to work on a job, and its slot among the jobs in work. */
export interface JobLease extends Lease {
  /** Call when the job only waits for others from now on: another job may start. */
  readonly freeSlot?: () => void;
}

/** What the supervisor `objects` sends to an object actor. */
export type ObjectOrder =
  | { readonly type: 'upload'; readonly request: UploadRequest; readonly reply: Reply<Acknowledgement> }
  | { readonly type: 'lease'; readonly lease: JobLease }
  | { readonly type: 'progress'; readonly reply: Reply<JobContext | undefined> }
  | { readonly type: 'give-up'; readonly by: string; readonly reply: Reply<JobContext> };

/** An object actor has nothing left to do, after handling this number of orders. */
export interface Idle {
  readonly type: 'idle';
  readonly job: JobId;
  readonly handled: number;
}

/**
 * Everything that arrives in an object actor's mailbox. Results of work that may have been abandoned in the meantime
 * carry a number: `intake` of the request, `generation` of the asynchronous work, `round` of the replication.
 */
export type ObjectMessage =
  | ObjectOrder
  | UploaderReport
  | { readonly type: 'uploader-ended'; readonly intake: number; readonly end: Ended }
  /** The result of asynchronous work; dropped when a new upload has ended its generation. */
  | { readonly type: 'piped'; readonly generation: number; readonly message: ObjectMessage }
  /** All segments of the request are stored; the outcome says whether the chain still waits for them. */
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
  /** The job's deadline has passed during replication. */
  | { readonly type: 'overdue' }
  /** The result of checking our own segments after columns failed: what is wrong with them, if anything. */
  | {
      readonly type: 'segments-checked';
      readonly failure: FailedTry;
      readonly outcome: Outcome<string | undefined>;
    }
  | { readonly type: 'signed'; readonly outcome: Outcome<SignedTransaction> }
  | { readonly type: 'seal-ended'; readonly outcome: Outcome<SealResult> }
  | { readonly type: 'reject-signed'; readonly outcome: Outcome<SignedTransaction | FinalStatus> }
  | { readonly type: 'reject-ended'; readonly outcome: Outcome<RejectResult> }
  | { readonly type: 'still-idle' };
