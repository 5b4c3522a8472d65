import type { JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import type { JobRecord } from '#runtime/records/records';
import type { JobView } from './job-view.ts';
import type { NodeReports } from './node-report.ts';
import type { PeerReport } from './peer-report.ts';
import type { Trees } from './trees.ts';

export interface JobsQuery {
  readonly states?: readonly JobStateName[];
  /** 1 to 1000. */
  readonly limit: number;
  /** The last record of the page before. */
  readonly before?: Pick<JobRecord, 'createdAt' | 'job'>;
}

/** Jobs that have not ended. */
export interface QueueReport {
  /** How many stand in each state. */
  readonly waiting: Readonly<Partial<Record<JobStateName, number>>>;
  readonly oldest?: { readonly job: JobId; readonly state: JobStateName; readonly createdAt: number };
}

/** The account of a key that pays fees. */
export interface KeyBalance {
  readonly key: 'operator' | 'seal';
  readonly address: string;
  /** In BNB, as a decimal number. */
  readonly bnb: string;
}

export interface SearchHit {
  readonly kind: 'job' | 'peer' | 'node';
  /** A page of ours, for example `/objects/4711.0`. */
  readonly path: string;
  readonly title: string;
  readonly job?: JobRecord;
}

/**
 * The whole SP, all its nodes, as any of them can tell. Every answer comes in bounded time; nodes that do not answer
 * are named as silent.
 */
export interface ProviderView {
  /** Name of the node that is asked, for example `sp-1@a`. */
  readonly node: string;
  readonly spId: number;
  nodes(signal?: AbortSignal): Promise<NodeReports>;
  trees(signal?: AbortSignal): Promise<Trees>;
  /** The newest jobs first, from the SQL DB. @throws Retryable `records-unavailable`; Terminal `bad-query` */
  jobs(query: JobsQuery): Promise<readonly JobRecord[]>;
  /** @throws Terminal `not-found` */
  job(job: JobId, signal?: AbortSignal): Promise<JobView>;
  peers(signal?: AbortSignal): Promise<readonly PeerReport[]>;
  /** By id, bucket/object, state, SP or error code. */
  search(text: string, signal?: AbortSignal): Promise<readonly SearchHit[]>;
  queue(): Promise<QueueReport>;
  balances(signal?: AbortSignal): Promise<readonly KeyBalance[]>;
}
