import type { Hex } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import type { TreeNode } from '#runtime/actors/types';
import type { OwnerAnswer } from '#runtime/home/home';

/** One secondary of the chosen group, and how far its column has come. */
export interface ColumnView {
  readonly redundancyIndex: number;
  readonly spId: number;
  /** `stored`: its receipt is in the journal. `moving`: a replicator works on it. */
  readonly state: 'waiting' | 'moving' | 'stored';
  /** What its replicator is doing, and what it waits for. */
  readonly activity?: TreeNode['activity'];
  readonly lastError?: TreeNode['lastError'];
  /** On average, since it began to be sent. */
  readonly bytesPerSecond?: number;
  /** Unix ms. */
  readonly completedAt?: number;
  readonly receipt?: {
    readonly integrityHash: Hex;
    /** Absent on the HTTP wire, which has none. */
    readonly approvalSignature?: { readonly signature: Hex; readonly checked: boolean };
    readonly blsSignature: { readonly signature: Hex; readonly checked: boolean };
  };
}

/** An SP's answer to being asked for room. */
export interface ApprovalView {
  readonly spId: number;
  /** Of an approval. */
  readonly redundancyIndex?: number;
  /** The group whose choice it prevents. */
  readonly gvgId?: number;
  readonly approved: boolean;
  /** It has not answered at all. */
  readonly silent?: boolean;
  /** Why not. */
  readonly reason?: string;
  /** Unix ms; of an approval. */
  readonly expiresAt?: number;
  /** Unix ms; of a refusal. */
  readonly at?: number;
}

/** Everything that is known of a job. */
export interface JobView {
  /** `<object id>.<version>`. */
  readonly job: string;
  /** Why this object is not sealed, or how it ended: one plain sentence. */
  readonly why: string;
  /** What an operator can do about it. */
  readonly advice?: string;
  readonly context: JobContext;
  readonly events: readonly JobEvent[];
  /** Who works on it right now. */
  readonly owner?: OwnerAnswer;
  /** Its actors on all nodes: the object actor with its children. */
  readonly actors: readonly TreeNode[];
  readonly columns: readonly ColumnView[];
  readonly approvals: readonly ApprovalView[];
  readonly seal?: {
    readonly transactionHash: string;
    readonly signedAt?: number;
    /** The last transaction that was signed; earlier ones are in `context.signedSeals`. */
    readonly tries: number;
  };
  /** Unix ms. */
  readonly nextTryAt?: number;
}
