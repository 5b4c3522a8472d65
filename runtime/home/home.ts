import type { JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import type { TreeNode } from '#runtime/actors/types';

/** What a running object actor says of itself on `object.<object_id>.<version>`. */
export interface OwnerAnswer {
  readonly node: string;
  readonly state: JobStateName;
  /** Unix ms at which this owner took the job. */
  readonly since: number;
}

/** Who works on a job right now: NATS interest is the directory (ARCHITECTURE.md#the-two-nats-planes). */
export interface Directory {
  /** Answers for a job until released. */
  own(job: JobId, answer: () => OwnerAnswer): Promise<{ release(): Promise<void> }>;
  /**
   * Undefined: nobody owns the job ("no responders").
   * @throws Retryable `owner-silent` when somebody does but does not answer in time.
   */
  find(job: JobId, options?: { readonly signal?: AbortSignal }): Promise<OwnerAnswer | undefined>;
}

/** A change of state, announced after the journal has accepted it. History comes from the journal, never from here. */
export interface JobAnnouncement {
  readonly job: JobId;
  readonly state: JobStateName;
  readonly at: number;
  /** The secondary that has just completed. */
  readonly secondary?: { readonly spId: number; readonly redundancyIndex: number };
  /** In SEAL_OBJECT_DOING and SEAL_OBJECT_DONE: the seal's transaction. */
  readonly transactionHash?: string;
  /** In an `*_ERROR` state: why, and when it is tried again (unix ms). */
  readonly failure?: { readonly message: string; readonly nextTryAt?: number };
}

export interface JobFeed {
  announce(announcement: JobAnnouncement): void;
  /** Announcements of one job or of all, from now on, until the signal fires. */
  watch(options: { readonly job?: JobId; readonly signal: AbortSignal }): AsyncIterable<JobAnnouncement>;
}

/** The supervision tree on `inspect.<node>`, for command line and pages. */
export interface InspectPoint {
  serve(node: string, tree: () => TreeNode): { stop(): Promise<void> };
  /** Trees of all nodes that answer within `timeoutMs`. */
  read(options?: {
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  }): Promise<readonly TreeNode[]>;
}

/** What an acknowledgement of this SP is worth (ARCHITECTURE.md#what-an-acknowledgement-is-worth). */
export type Durability = 'crash-safe' | 'power-safe' | 'replicated';
