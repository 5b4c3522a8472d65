import type { SignedTransaction } from '../greenfield/transaction.ts';
import type { Hex, Redundancy } from '../greenfield/types.ts';
import type { JobId } from './identity.ts';
import type { JobStateName } from './states.ts';

/** What a job must know of its object; read from the chain when its payload comes. */
export interface JobObject {
  readonly bucketName: string;
  readonly objectName: string;
  readonly owner: string;
  readonly contentType: string;
  /** Bytes. */
  readonly payloadSize: number;
  readonly redundancy: Redundancy;
  /** Seven integrity hashes, primary first; empty for a delegated upload. */
  readonly checksums: readonly Hex[];
  /** Bytes. */
  readonly maxSegmentSize: number;
  readonly dataChunks: number;
  readonly parityChunks: number;
  readonly familyId: number;
  readonly primarySpId: number;
  /** Unix seconds of the chain's clock at which the object was created or last updated. */
  readonly createdAt: number;
  /** True when the job uploads new content of a sealed object. */
  readonly isUpdate: boolean;
}

/** Why a job stands in an `*_ERROR` state, in words for an operator. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly advice?: string;
  /** How many tries in a row have failed, from 1. */
  readonly attempt: number;
  /** The `*_DOING` state in which the next try begins. An upload waits for the client, all others for `nextTryAt`. */
  readonly resume: JobStateName;
  /** Unix ms of the next try; absent when it waits for somebody else (a client's PUT). */
  readonly nextTryAt?: number;
  /** A group that must not be taken by the next allocation, when another is left. */
  readonly excludeGvgId?: number;
}

/** Why an overdue object is not rejected yet, in words for an operator. */
export type RejectFailure = Pick<Failure, 'code' | 'message' | 'advice'>;

/** One secondary's consent to store one column (ARCHITECTURE.md#the-two-nats-planes). */
export interface Approval {
  readonly spId: number;
  readonly redundancyIndex: number;
  /** Unix ms. */
  readonly expiresAt: number;
  /** The signed control message, base64, as it came off the wire (empty on the HTTP wire, which has none). */
  readonly message: string;
}

/** A secondary's proof that it holds a column. */
export interface Receipt {
  readonly redundancyIndex: number;
  readonly spId: number;
  readonly gvgId: number;
  readonly integrityHash: Hex;
  /** 65 bytes over SecondarySpSignDoc by the approval key (protocols/replication/README.md#the-secondarys-signature); empty on the HTTP wire. */
  readonly approvalSignature: Hex;
  /** 96 bytes over SecondarySpSealObjectSignDoc (protocols/sealing/README.md#what-secondaries-sign). */
  readonly blsSignature: Hex;
}

/** The state of a job, as `evolve` makes it from the job's events. Never changed in place. */
export interface JobContext {
  readonly id: JobId;
  readonly state: JobStateName;
  /** Number of events applied; the next event is number `revision + 1`. */
  readonly revision: number;
  readonly object: JobObject;
  /** Unix ms of creation and of the last change of state. */
  readonly createdAt: number;
  readonly changedAt: number;
  /** Unix ms after which an unsealed object is rejected on chain; each upload, and each part of one, restarts the time. */
  readonly deadlineAt: number;
  /** Unix ms at which the payload was stored; present from UPLOAD_OBJECT_DONE on. */
  readonly uploadedAt?: number;
  /** The traceparent of the request with which the newest upload began, where it is traced. */
  readonly trace?: string;
  /** Upload attempts started, from 1. */
  readonly uploadAttempt: number;
  /** Segments of the parts that have come, by index; present while an upload in parts is under way. */
  readonly storedSegments?: Readonly<Record<number, Hex>>;
  /** Bytes durably stored and checked; present from UPLOAD_OBJECT_DONE on. */
  readonly payload?: {
    readonly segmentChecksums: readonly Hex[];
    readonly integrityHash: Hex;
    /** The seven integrity hashes of a delegated upload, primary first. */
    readonly checksums?: readonly Hex[];
  };
  /** The chosen GVG and its six approvals; present from ALLOC_SECONDARY_DONE on. */
  readonly allocation?: {
    readonly gvgId: number;
    readonly secondarySpIds: readonly number[];
    readonly approvals: readonly Approval[];
    /** Replications that failed with this allocation. */
    readonly failedTries: number;
  };
  /** GVGs that failed and are not chosen again while another is left. */
  readonly excludedGvgIds: readonly number[];
  /** Receipts by redundancy index; voided by a change of GVG or of its members, and when the chain refused their seal. */
  readonly receipts: Readonly<Record<number, Receipt>>;
  /** Present from SIGN_OBJECT_DONE on. */
  readonly seal?: SignedTransaction;
  /** Every seal ever signed for the job, newest last: a reject waits until none can still be included. */
  readonly signedSeals: readonly SignedTransaction[];
  /** Signed after the deadline; void as soon as an upload begins again. */
  readonly reject?: SignedTransaction;
  readonly rejectFailure?: RejectFailure;
  /** Present in `*_ERROR` states. */
  readonly failure?: Failure;
  /** Failed tries in a row, since the upload or the replication last completed; drives the back-off. */
  readonly failedTries: number;
  /** Failed seals since the upload: only a seal that succeeds ends the back-off of seals. */
  readonly failedSeals: number;
  /** Present in OBJECT_DISCONTINUED. */
  readonly discontinuedBecause?: string;
}
