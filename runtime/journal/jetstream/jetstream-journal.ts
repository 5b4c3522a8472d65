import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import { throwIfAborted } from '#protocols/errors';
import type { JobEvent } from '#protocols/job/events';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Sizes } from '../../telemetry/sizes.ts';
import { checkEvent, eventKey, fenced, judge } from '../fence.ts';
import type { Journal, Ledger, Positioned, StoredEvent } from '../journal.ts';
import { EventLog } from './event-log.ts';
import { JobIndex } from './job-index.ts';
import { type KnownJob, standingOf } from './known-jobs.ts';
import { JetStreamLedger } from './ledger.ts';
import { openStreams } from './open-streams.ts';
import type { StreamStore } from './stream-store.ts';
import { tailEvents } from './tail.ts';
import { Turns } from './turns.ts';

/** Maximum numbers of concurrent and of waiting writes. */
const LIMITS = { atOnce: 256, waiting: 10_000 };

/** A history in memory that is older than this is read again before a write, ms: another node may now have the job. */
const TRUSTED_MS = 10_000;

export interface JetStreamJournalOptions {
  /** Connection to the home plane, which the caller closes. */
  readonly connection: NatsConnection;
  /** Number of replicas; 1 by default. */
  readonly replicas?: number;
  /** Shown how many writes are in work or wait. */
  readonly sizes?: Sizes;
}

/**
 * Opens the journal that the nodes of an SP share (ARCHITECTURE.md#one-owner-for-each-object). Creates its streams if
 * they do not exist.
 * @throws Terminal `stream-unfit`, `nats-refused`, `jetstream-disabled`; Retryable `journal-unavailable`
 */
export async function openJetStreamJournal(options: JetStreamJournalOptions): Promise<Journal> {
  const { connection, replicas = 1, sizes } = options;
  const journal = new JetStreamJournal(connection, await openStreams(connection, replicas));
  const used = () => journal.waiting;
  sizes?.watchBound({ what: 'journal_writes', unit: 'items', limit: () => LIMITS.waiting, used });
  return journal;
}

class JetStreamJournal implements Journal {
  readonly id: string;
  readonly writer = randomUUID();
  readonly ledger: Ledger;
  readonly #connection: NatsConnection;
  readonly #events: StreamStore;
  readonly #log: EventLog;
  readonly #index: JobIndex;
  readonly #turns = new Turns(LIMITS);
  readonly #closing = new AbortController();

  constructor(connection: NatsConnection, streams: Awaited<ReturnType<typeof openStreams>>) {
    this.id = streams.id;
    this.#connection = connection;
    this.#events = streams.events;
    this.#log = new EventLog(streams.events);
    this.#index = new JobIndex(streams.index);
    this.ledger = new JetStreamLedger(streams.ledger, this.#turns);
  }

  /** Appends and purges in work, and those that wait. */
  get waiting(): number {
    return this.#turns.submitted;
  }

  async append(
    job: JobId,
    n: number,
    event: JobEvent,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    throwIfAborted(options.signal);
    checkEvent(job, n);
    await this.#turns.run(formatJobId(job), () => this.#append(job, n, event, options.signal));
  }

  async read(job: JobId, options: { readonly signal?: AbortSignal } = {}): Promise<readonly StoredEvent[]> {
    return (await this.#log.read(job, options.signal)).events;
  }

  openJobs(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<JobId> {
    return this.#index.open(options.signal);
  }

  endedJobs(before: number, options: { readonly signal?: AbortSignal } = {}): AsyncIterable<JobId> {
    return this.#index.ended(before, options.signal);
  }

  tail(after: number, options: { readonly signal: AbortSignal }): AsyncIterable<Positioned> {
    return tailEvents(this.#connection, after, AbortSignal.any([options.signal, this.#closing.signal]));
  }

  async position(): Promise<number> {
    return await this.#events.lastSequence();
  }

  async purge(job: JobId, last: number): Promise<void> {
    await this.#turns.run(formatJobId(job), () => this.#purge(job, last));
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#turns.close();
  }

  async #append(job: JobId, n: number, event: JobEvent, signal?: AbortSignal): Promise<void> {
    const before = await this.#before(job, n, signal);
    const { fresh, refusals } = this.#judge(job, n, event, before);
    if (refusals[0]) throw refusals[0];
    const [stored] = fresh;
    if (!stored) return;
    await this.#index.enter(stored, before.events, `${this.writer}/${eventKey(job, n)}`);
    if (!(await this.#log.write(stored, before, signal))) {
      throw (
        this.#judge(job, n, event, await this.#log.read(job)).refusals[0] ?? fenced(job, n, 'came too late')
      );
    }
    if (n > 1 && standingOf(before.events) === 'ended' && !(await this.#log.has(job, n - 1))) {
      await this.#log.undo(stored);
      throw fenced(job, n, 'came too late');
    }
    await this.#index.leave(stored, before.events);
  }

  #judge(job: JobId, n: number, event: JobEvent, { events }: KnownJob) {
    const known = new Map(events.map((one) => [eventKey(job, one.n), one]));
    return judge([{ job, n, event }], known, this.writer);
  }

  /** The history of the job before event n. It is read again unless this process has recently read or written it. */
  async #before(job: JobId, n: number, signal?: AbortSignal): Promise<KnownJob> {
    const known = this.#log.known(job);
    const isFresh =
      known &&
      known.events.length >= n - 1 &&
      performance.now() - known.confirmedAt < TRUSTED_MS &&
      standingOf(known.events) !== 'ended';
    return isFresh ? known : await this.#log.read(job, signal);
  }

  async #purge(job: JobId, last: number): Promise<void> {
    const { events } = await this.#log.read(job);
    if (events.length > last) return;
    if (events.length === 0) {
      await this.#log.clear(job);
      await this.#index.clear(job);
    } else if (await this.#log.purge(job, last, this.writer)) await this.#index.forget(job, events);
  }
}
