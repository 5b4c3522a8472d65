import type { SignedTransaction } from '../greenfield/transaction.ts';
import type { Hex } from '../greenfield/types.ts';
import type { Approval, Failure, JobObject, Receipt, RejectFailure } from './context.ts';
import type { JobId } from './identity.ts';

/**
 * What happened to a job, in the past tense. Every event but `PartStored`, `SegmentDiscarded`, `SecondaryCompleted`,
 * `GivenUp`, `RejectSigned` and `RejectFailed` moves the job to the state named beside it. Plain JSON: it is stored as is.
 * `at` is unix ms, taken by the actor (the decider has no clock).
 */
export type JobEvent =
  /** INIT_UNSPECIFIED */
  | {
      readonly type: 'JobCreated';
      readonly at: number;
      readonly id: JobId;
      readonly object: JobObject;
      readonly deadlineAt: number;
    }
  /** UPLOAD_OBJECT_DOING */
  | {
      readonly type: 'UploadStarted';
      readonly at: number;
      readonly attempt: number;
      readonly deadlineAt: number;
      /**
       * Where the chain states other facts than before. Another announcement under the same version begins another
       * life of the job: nothing of the life before counts any more.
       */
      readonly object?: JobObject;
      /** When the payload comes in several requests, between which nobody owns the job. */
      readonly inParts?: true;
      /** The W3C traceparent of the request, where it is traced: all later work on the job belongs to its trace. */
      readonly trace?: string;
    }
  /** stays in UPLOAD_OBJECT_DOING: the segments of one part are stored, from `firstSegment` on */
  | {
      readonly type: 'PartStored';
      readonly at: number;
      readonly firstSegment: number;
      readonly checksums: readonly Hex[];
      /** Each part gives the next ones their whole time; absent in journals from before that. */
      readonly deadlineAt?: number;
    }
  /** no change of state: a segment that was stored earlier holds other bytes, and is about to be deleted */
  | { readonly type: 'SegmentDiscarded'; readonly at: number; readonly segmentIndex: number }
  /** UPLOAD_OBJECT_DONE: every segment is stored and the integrity hash is right; parts may have taken their time */
  | {
      readonly type: 'UploadCompleted';
      readonly at: number;
      readonly segmentChecksums: readonly Hex[];
      readonly integrityHash: Hex;
      /** The seven integrity hashes, where the chain has none (a delegated upload). */
      readonly checksums?: readonly Hex[];
      readonly deadlineAt?: number;
    }
  /** UPLOAD_OBJECT_ERROR: segments that had been acknowledged are gone; the object can be uploaded again */
  | { readonly type: 'PayloadLost'; readonly at: number; readonly failure: Failure }
  /** UPLOAD_OBJECT_ERROR */
  | { readonly type: 'UploadFailed'; readonly at: number; readonly failure: Failure }
  /** ALLOC_SECONDARY_DOING; `excludeGvgId` when the chain or a secondary refused that group */
  | { readonly type: 'AllocationStarted'; readonly at: number; readonly excludeGvgId?: number }
  /** ALLOC_SECONDARY_DONE: all six members of one GVG approved */
  | {
      readonly type: 'AllocationCompleted';
      readonly at: number;
      readonly gvgId: number;
      readonly secondarySpIds: readonly number[];
      readonly approvals: readonly Approval[];
    }
  /** ALLOC_SECONDARY_ERROR */
  | { readonly type: 'AllocationFailed'; readonly at: number; readonly failure: Failure }
  /** REPLICATE_OBJECT_DOING */
  | { readonly type: 'ReplicationStarted'; readonly at: number }
  /** stays in REPLICATE_OBJECT_DOING: one secondary's column is stored, both its signatures were checked */
  | { readonly type: 'SecondaryCompleted'; readonly at: number; readonly receipt: Receipt }
  /** REPLICATE_OBJECT_DONE */
  | { readonly type: 'ReplicationCompleted'; readonly at: number }
  /** REPLICATE_OBJECT_ERROR */
  | { readonly type: 'ReplicationFailed'; readonly at: number; readonly failure: Failure }
  /** SIGN_OBJECT_DOING */
  | { readonly type: 'SigningStarted'; readonly at: number }
  /** SIGN_OBJECT_DONE: holds the signed bytes before anything is broadcast */
  | { readonly type: 'SigningCompleted'; readonly at: number; readonly transaction: SignedTransaction }
  /** SIGN_OBJECT_ERROR */
  | { readonly type: 'SigningFailed'; readonly at: number; readonly failure: Failure }
  /** SEAL_OBJECT_DOING: from here the signed bytes may be on their way */
  | { readonly type: 'SealStarted'; readonly at: number }
  /** SEAL_OBJECT_DONE: the chain says sealed */
  | {
      readonly type: 'SealCompleted';
      readonly at: number;
      readonly gvgId?: number;
      readonly transactionHash?: string;
    }
  /** SEAL_OBJECT_ERROR */
  | { readonly type: 'SealFailed'; readonly at: number; readonly failure: Failure }
  /** no change of state: an operator does not want to wait for the deadline, which is now */
  | { readonly type: 'GivenUp'; readonly at: number; readonly by: string }
  /** no change of state: the deadline has passed and a reject was signed, before it is broadcast */
  | { readonly type: 'RejectSigned'; readonly at: number; readonly transaction: SignedTransaction }
  /** no change of state: why an overdue object is not rejected yet */
  | { readonly type: 'RejectFailed'; readonly at: number; readonly rejectFailure: RejectFailure }
  /** OBJECT_DISCONTINUED: the chain says gone, or a reject was confirmed */
  | { readonly type: 'Discontinued'; readonly at: number; readonly reason: string };

export type JobEventType = JobEvent['type'];
