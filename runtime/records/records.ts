import type { Hex } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import type { Audit } from './audit.ts';
import type { OffChainKeys } from './off-chain-keys.ts';

/** A job for queries by people. */
export interface JobRecord {
  readonly job: JobId;
  readonly state: JobStateName;
  readonly bucketName: string;
  readonly objectName: string;
  /** Bytes. */
  readonly payloadSize: number;
  /** Unix ms of creation and of the last change of state. */
  readonly createdAt: number;
  readonly changedAt: number;
  readonly gvgId?: number;
  /** Present in `*_ERROR` states. */
  readonly failure?: { readonly code: string; readonly message: string; readonly nextTryAt?: number };
  /** Hash of the last signed seal. */
  readonly sealTransaction?: string;
}

/** How many jobs stand in each state, and the oldest of them. */
export interface QueueSummary {
  readonly waiting: Readonly<Partial<Record<JobStateName, number>>>;
  readonly oldest?: { readonly job: JobId; readonly state: JobStateName; readonly createdAt: number };
}

/** One secondary of a job: "every time one SP is completed, the secondary information is updated once". */
export interface SecondaryRecord {
  readonly redundancyIndex: number;
  readonly spId: number;
  /** Unix ms. Present, like the hash, when its receipt has arrived. */
  readonly completedAt?: number;
  readonly integrityHash?: Hex;
}

/** A job to be written to the SQL DB. */
export interface JobProjection {
  readonly context: JobContext;
  /** Arrival of each receipt, unix ms, by redundancy index. */
  readonly completedAt: Readonly<Record<number, number>>;
}

/**
 * The SQL DB: a projection of the journal for queries by people. No decision is based on it, except for the off-chain
 * keys and the record of operators' actions, which it also holds (ARCHITECTURE.md#one-owner-for-each-object).
 */
export interface Records {
  readonly offChainKeys: OffChainKeys;
  readonly audit: Audit;
  /** Position in the journal up to which all events have been projected; 0 at the beginning. */
  position(): Promise<number>;
  /**
   * Begins to follow a journal. Jobs from another journal are removed, since positions are specific to a journal; the
   * off-chain keys are kept.
   * @param journal its identity, and the position of its last event
   * @returns the position up to which its events have been projected: 0 for a journal that is new to the database, or
   * that was restored from an older copy
   */
  follow(journal: { readonly id: string; readonly position: number }): Promise<number>;
  /**
   * Writes the changed jobs and the position in one SQL transaction. Idempotent.
   * @throws Retryable `records-unavailable`, as all methods; nothing has been written then
   */
  project(batch: { readonly jobs: readonly JobProjection[]; readonly position: number }): Promise<void>;
  job(job: JobId): Promise<JobRecord | undefined>;
  /** By redundancy index; empty before the allocation. */
  secondaries(job: JobId): Promise<readonly SecondaryRecord[]>;
  /**
   * Newest first; at most `limit` (1 to 1000).
   * @param query.states all states by default
   * @param query.before the last record of the previous page
   * @throws Terminal `bad-query`
   */
  jobs(query: {
    readonly states?: readonly JobStateName[];
    readonly limit: number;
    readonly before?: Pick<JobRecord, 'createdAt' | 'job'>;
  }): Promise<readonly JobRecord[]>;
  /** The jobs in some states, counted. */
  summary(states: readonly JobStateName[]): Promise<QueueSummary>;
  /**
   * Jobs that a text may mean, at most `limit`: an object's id, with or without its version; `bucket/object` or how it
   * begins; a bucket; a state or how it begins; the code of a failure; the id of a secondary.
   */
  search(text: string, limit: number): Promise<readonly JobRecord[]>;
  close(): Promise<void>;
}
