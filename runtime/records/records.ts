import type { Hex } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
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
  /** Hash of the seal that was signed last. */
  readonly sealTransaction?: string;
}

/** One secondary of a job: "every time one SP is completed, the secondary information is updated once". */
export interface SecondaryRecord {
  readonly redundancyIndex: number;
  readonly spId: number;
  /** Unix ms; with the hash once its receipt is in. */
  readonly completedAt?: number;
  readonly integrityHash?: Hex;
}

/** A job to be written to the SQL DB. */
export interface JobProjection {
  readonly context: JobContext;
  /** Unix ms at which the receipts of the context came in, by redundancy index. */
  readonly completedAt: Readonly<Record<number, number>>;
}

/**
 * The SQL DB: a projection of the journal that people query; no decision is taken from it, except by the off-chain
 * keys, which it holds too (ARCHITECTURE.md#one-owner-for-each-object).
 */
export interface Records {
  readonly offChainKeys: OffChainKeys;
  /** The journal position up to which everything is in; 0 at the beginning. */
  position(): Promise<number>;
  /**
   * Begins to follow a journal. What came from another one goes, since positions are each journal's own; the off-chain
   * keys stay.
   * @param journal its identity, and the position of its last event
   * @returns the position up to which everything of it is in: 0 for one that is new here, that the database does not
   * know by its identity yet, or that was put back from an older copy
   */
  follow(journal: { readonly id: string; readonly position: number }): Promise<number>;
  /**
   * Writes what changed and the position in one SQL transaction; writing the same again changes nothing.
   * @throws Retryable `records-unavailable`, as all methods; nothing was written then
   */
  project(batch: { readonly jobs: readonly JobProjection[]; readonly position: number }): Promise<void>;
  job(job: JobId): Promise<JobRecord | undefined>;
  /** By redundancy index; empty before the allocation. */
  secondaries(job: JobId): Promise<readonly SecondaryRecord[]>;
  /**
   * Newest first; at most `limit` (1 to 1000).
   * @param query.states all states without it
   * @param query.before the last record of the page before
   * @throws Terminal `bad-query`
   */
  jobs(query: {
    readonly states?: readonly JobStateName[];
    readonly limit: number;
    readonly before?: Pick<JobRecord, 'createdAt' | 'job'>;
  }): Promise<readonly JobRecord[]>;
  close(): Promise<void>;
}
