import type { JobEvent } from '#protocols/job/events';
import type { JobId } from '#protocols/job/identity';

/** An event as stored in the journal. */
export interface StoredEvent {
  readonly job: JobId;
  /** From 1, without gaps, per job. */
  readonly n: number;
  /** UUID of the process start that wrote it. */
  readonly writer: string;
  readonly event: JobEvent;
}

/** A stored event with its place in the whole journal; positions rise, with gaps. */
export interface Positioned extends StoredEvent {
  readonly position: number;
}

/**
 * The job's own record, and the fence between owners: event n of a job can be written once (ARCHITECTURE.md#one-owner-for-each-object).
 * Adapters: level (embedded, for one node), jetstream (for the nodes of an SP together). One contract suite holds for
 * all.
 */
export interface Journal {
  /** UUID of the journal, created with it: positions are valid only within one journal. */
  readonly id: string;
  /** UUID of this process start. */
  readonly writer: string;
  /**
   * Writes event n durably. Repeating one's own identical event is success.
   * @throws Terminal `journal-fenced` when event n exists with other content or another writer, or n−1 does not
   * exist: the caller has lost the job and must not change anything more.
   */
  append(job: JobId, n: number, event: JobEvent, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /** All events of a job in order; empty for an unknown one. */
  read(job: JobId, options?: { readonly signal?: AbortSignal }): Promise<readonly StoredEvent[]>;
  /**
   * Every job that has not ended and was not purged, in no particular order, without reading the others. A job may be
   * among them that has just ended, or whose writer stopped before its first event or after its last one.
   */
  openJobs(options?: { readonly signal?: AbortSignal }): AsyncIterable<JobId>;
  /**
   * Every job that ended before a time and was not purged; one may be among them that has been resumed or purged.
   * @param before unix ms, by the clock of the events
   */
  endedJobs(before: number, options?: { readonly signal?: AbortSignal }): AsyncIterable<JobId>;
  /** Events after a position, oldest first, then new ones, until the signal fires. Used by the projector. */
  tail(after: number, options: { readonly signal: AbortSignal }): AsyncIterable<Positioned>;
  /** Position of the last event written; 0 if there is none. */
  position(): Promise<number>;
  /**
   * Deletes the events of a job whose last event is number `last`. A job with newer events is kept: the decision
   * that it has ended was based on an older state. With 0, what is left of a job without events.
   */
  purge(job: JobId, last: number): Promise<void>;
  /**
   * A small durable key-value store of this SP beside the jobs, for data that must survive a restart and is not an
   * event of a job: approvals, receipts, columns. Values are JSON; writes are synced.
   */
  readonly ledger: Ledger;
  close(): Promise<void>;
}

export interface Ledger {
  get<T>(key: string): Promise<T | undefined>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Deletes many at once; after a failure some of them may be left. */
  deleteAll(keys: readonly string[]): Promise<void>;
  /**
   * Entries whose key starts with the prefix, in key order.
   * @param options.after only those whose key comes behind this one
   */
  entries<T>(
    prefix: string,
    options?: { readonly after?: string; readonly signal?: AbortSignal },
  ): AsyncIterable<readonly [string, T]>;
}
