import type { JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import type { TreeNode } from '#runtime/actors/types';

/** The answer of a running object actor on `object.<object_id>.<version>`. */
export interface OwnerAnswer {
  readonly node: string;
  readonly state: JobStateName;
  /** Unix ms at which this owner took the job. */
  readonly since: number;
}

/** Who works on a job right now: NATS interest is the directory (ARCHITECTURE.md#the-two-nats-planes). */
export interface Directory {
  /** Registers as the owner of a job until released. */
  own(job: JobId, answer: () => OwnerAnswer): Promise<{ release(): Promise<void> }>;
  /**
   * Undefined when nobody owns the job ("no responders").
   * @throws Retryable `owner-silent` when the owner does not answer in time.
   */
  find(job: JobId, options?: { readonly signal?: AbortSignal }): Promise<OwnerAnswer | undefined>;
}

/** A change of state, announced after the journal has accepted it. History comes from the journal, never from here. */
export interface JobAnnouncement {
  readonly job: JobId;
  readonly state: JobStateName;
  readonly at: number;
  /** Name of the node that wrote it, for example `a`. */
  readonly node: string;
  /** The secondary that has just completed. */
  readonly secondary?: { readonly spId: number; readonly redundancyIndex: number };
  /** In SEAL_OBJECT_DOING and SEAL_OBJECT_DONE: the seal's transaction. */
  readonly transactionHash?: string;
  /** In an `*_ERROR` state: why, and when it is tried again (unix ms). */
  readonly failure?: { readonly message: string; readonly nextTryAt?: number };
}

export interface JobFeed {
  announce(announcement: JobAnnouncement): void;
  /** New announcements of one job or of all, until the signal fires. */
  watch(options: { readonly job?: JobId; readonly signal: AbortSignal }): AsyncIterable<JobAnnouncement>;
}

/** The actor tree on `inspect.<node>`, for the command line and pages. */
export interface InspectPoint {
  serve(node: string, tree: () => TreeNode): { stop(): Promise<void> };
  /**
   * Trees of all nodes that answer within `timeoutMs`.
   * @param options.nodes names that are awaited; without them, the end is a silence of half a second
   */
  read(options?: {
    readonly timeoutMs?: number;
    readonly nodes?: readonly string[];
    readonly signal?: AbortSignal;
  }): Promise<readonly TreeNode[]>;
}

/** Questions that each node of the SP answers for itself. Answers are plain JSON. */
export interface RollCall {
  /** Answers a topic until stopped. A failure is logged, and the caller gets no answer of this node. */
  serve(topic: string, node: string, answer: () => Promise<unknown>): { stop(): void };
  /**
   * The answers of all nodes that give one within `timeoutMs`, by name.
   * @param options.nodes names that are awaited; without them, the end is a silence of half a second
   * @throws Retryable `nats-unavailable`; Cancelled
   */
  ask(
    topic: string,
    options: {
      readonly timeoutMs: number;
      readonly nodes?: readonly string[];
      readonly signal?: AbortSignal;
    },
  ): Promise<ReadonlyMap<string, unknown>>;
}

/** How durable an acknowledged payload of this SP is (ARCHITECTURE.md#what-an-acknowledgement-is-worth). */
export type Durability = 'crash-safe' | 'power-safe' | 'replicated';
