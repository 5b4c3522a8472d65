import type { Hex } from '../../protocols/greenfield/types.ts';
import type { JobContext } from '../../protocols/job/context.ts';
import type { JobId } from '../../protocols/job/identity.ts';
import type { JobStateName } from '../../protocols/job/states.ts';

/** A job as people look it up. */
export interface JobRecord {
  readonly job: JobId;
  readonly state: JobStateName;
  readonly bucketName: string;
  readonly objectName: string;
  readonly payloadSize: number;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly gvgId?: number;
  readonly failure?: { readonly code: string; readonly message: string; readonly nextTryAt?: number };
  readonly sealTransaction?: string;
}

/** One secondary of a job: "every time one SP is completed, the secondary information is updated once". */
export interface SecondaryRecord {
  readonly redundancyIndex: number;
  readonly spId: number;
  readonly completedAt?: number;
  readonly integrityHash?: Hex;
}

/** The SQL DB: a projection of the journal that people query; no decision is taken from it (design §6). */
export interface Records {
  /** The journal position up to which everything is in. */
  position(): Promise<number>;
  /** Writes what changed and the position in one SQL transaction. */
  project(batch: { readonly contexts: readonly JobContext[]; readonly position: number }): Promise<void>;
  job(job: JobId): Promise<JobRecord | undefined>;
  secondaries(job: JobId): Promise<readonly SecondaryRecord[]>;
  /** Newest first; at most `limit` (1000 at most). */
  jobs(query: {
    readonly states?: readonly JobStateName[];
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly JobRecord[]>;
  close(): Promise<void>;
}
