import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type SealionError, Terminal, throwIfAborted } from '#protocols/errors';
import type { JobEvent } from '#protocols/job/events';
import { formatJobId, type JobId, parseJobId } from '#protocols/job/identity';
import { GroupCommit } from './group-commit.ts';
import type { Journal, Ledger, Positioned, StoredEvent } from './journal.ts';
import { LevelJobIndex } from './level-job-index.ts';
import { LevelLedger } from './level-ledger.ts';
import { LevelStore, type Table, type Write } from './level-store.ts';
import { RecentJobs } from './recent-jobs.ts';
import { Watermark } from './watermark.ts';

const BATCH = 256;
const WAITING = 10_000;
const READ_BATCH = 256;
const LAST = 'last';
const ID = 'id';

/**
 * Opens the embedded journal (ARCHITECTURE.md#one-owner-for-each-object): one LevelDB, one process, every append synced before it resolves.
 * @param options.directory made where it is missing
 * @throws Retryable `journal-locked` when another process has it open, `journal-unavailable`;
 * Terminal `journal-corrupt`
 */
export async function openLevelJournal(options: { readonly directory: string }): Promise<Journal> {
  const store = await LevelStore.open(options.directory);
  try {
    const last = await store.guard(() => store.table<number>('position').get(LAST));
    const index = new LevelJobIndex(store);
    await index.build(store.table('log'));
    return new LevelJournal(store, { id: await identityOf(store), last: last ?? 0, index });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Creates the id if it is missing: in a new journal, and in one from a release without ids. */
async function identityOf(store: LevelStore): Promise<string> {
  const table = store.table<string>('identity');
  const known = await store.guard(() => table.get(ID));
  if (known !== undefined) return known;
  const id = randomUUID();
  await store.write([{ type: 'put', sublevel: table, key: ID, value: id }]);
  return id;
}

/** A pending append. */
interface Append {
  readonly job: JobId;
  readonly n: number;
  readonly event: JobEvent;
}

/**
 * A pending purge of a job; queued with the appends, so that no append of the job is validated against purged
 * events.
 */
interface Purge {
  readonly purge: JobId;
  readonly last: number;
}

/**
 * `log` has the events by position, `index` maps job and number to the position, and `position` is the last one
 * used, so that a purge does not free it.
 */
class LevelJournal implements Journal {
  readonly id: string;
  readonly writer = randomUUID();
  readonly ledger: Ledger;
  readonly #store: LevelStore;
  readonly #log: Table<StoredEvent>;
  readonly #index: Table<number>;
  readonly #jobs: LevelJobIndex;
  readonly #position: Table<number>;
  readonly #written: Watermark;
  readonly #recent = new RecentJobs();
  readonly #commits = new GroupCommit<Append | Purge>((ops) => this.#commit(ops), {
    batch: BATCH,
    waiting: WAITING,
  });

  constructor(
    store: LevelStore,
    { id, last, index }: { readonly id: string; readonly last: number; readonly index: LevelJobIndex },
  ) {
    this.id = id;
    this.#store = store;
    this.#jobs = index;
    this.#log = store.table('log');
    this.#index = store.table('index');
    this.#position = store.table('position');
    this.#written = new Watermark(last);
    this.ledger = new LevelLedger(store);
  }

  async append(
    job: JobId,
    n: number,
    event: JobEvent,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    throwIfAborted(options.signal);
    checkEvent(job, n);
    await this.#commits.submit({ job, n, event });
  }

  async read(job: JobId, options: { readonly signal?: AbortSignal } = {}): Promise<readonly StoredEvent[]> {
    const recent = this.#recent.read(job);
    if (recent) return recent;
    // most of what is asked for is not there yet, and one look at a key costs less than an iterator
    if ((await this.#lookUp([indexKey(job, 1)])).size === 0) return [];
    const events: StoredEvent[] = [];
    for await (const positions of inBatches(this.#positions(job))) {
      throwIfAborted(options.signal);
      events.push(...(await this.#events(positions)));
    }
    return events;
  }

  openJobs(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<JobId> {
    return this.#jobs.open(options.signal);
  }

  endedJobs(before: number, options: { readonly signal?: AbortSignal } = {}): AsyncIterable<JobId> {
    return this.#jobs.ended(before, options.signal);
  }

  async position(): Promise<number> {
    return this.#written.value;
  }

  async *tail(
    after: number,
    options: { readonly signal: AbortSignal },
  ): AsyncGenerator<Positioned, void, undefined> {
    let position = after;
    while (await this.#written.above(position, options.signal)) {
      const written = this.#written.value;
      const page = await this.#store.page(this.#log, { gt: positionKey(position), limit: READ_BATCH });
      for (const [key, event] of page) {
        if (options.signal.aborted) return;
        position = Number(key);
        yield { ...event, position };
      }
      // purged events leave gaps, at the end too
      if (page.length < READ_BATCH) position = Math.max(position, written);
    }
  }

  async purge(job: JobId, last: number): Promise<void> {
    await this.#commits.submit({ purge: job, last });
  }

  async close(): Promise<void> {
    this.#written.close();
    await this.#commits.close();
    await this.#store.close();
  }

  async #commit(ops: readonly (Append | Purge)[]): Promise<(SealionError | undefined)[]> {
    const refusals: (SealionError | undefined)[] = [];
    let appends: Append[] = [];
    for (const op of ops) {
      if (!('purge' in op)) {
        appends.push(op);
        continue;
      }
      refusals.push(...(await this.#append(appends)));
      appends = [];
      await this.#purge(op.purge, op.last);
      refusals.push(undefined);
    }
    refusals.push(...(await this.#append(appends)));
    return refusals;
  }

  /** Writes all valid appends in one synced batch. @returns why each of the others was refused */
  async #append(appends: readonly Append[]): Promise<(SealionError | undefined)[]> {
    if (appends.length === 0) return [];
    const standing = await this.#standing(appends);
    const fresh: StoredEvent[] = [];
    const refusals: (SealionError | undefined)[] = [];
    for (const { job, n, event } of appends) {
      const there = standing.get(indexKey(job, n));
      if (there) {
        const ours = there.writer === this.writer && isDeepStrictEqual(there.event, asStored(event));
        refusals.push(ours ? undefined : fenced(job, n, 'is already written'));
      } else if (n > 1 && !standing.has(indexKey(job, n - 1))) {
        refusals.push(fenced(job, n, `has no event ${n - 1} before it`));
      } else {
        const stored = { job, n, writer: this.writer, event: asStored(event) };
        fresh.push(stored);
        standing.set(indexKey(job, n), stored);
        refusals.push(undefined);
      }
    }
    if (fresh.length > 0) await this.#write(fresh);
    return refusals;
  }

  /** The events that are there already under the numbers of these appends, and before them. */
  async #standing(appends: readonly Append[]): Promise<Map<string, StoredEvent>> {
    const standing = new Map<string, StoredEvent>();
    const unknown: string[] = [];
    for (const { job, n } of appends) {
      const recent = this.#recent.read(job);
      for (const number of n > 1 ? [n - 1, n] : [n]) {
        const key = indexKey(job, number);
        const event = recent?.[number - 1];
        if (event) standing.set(key, event);
        else if (!recent) unknown.push(key);
      }
    }
    if (unknown.length === 0) return standing;
    const positions = await this.#lookUp(unknown);
    for (const event of await this.#events([...positions.values()])) {
      standing.set(indexKey(event.job, event.n), event);
    }
    return standing;
  }

  async #write(fresh: readonly StoredEvent[]): Promise<void> {
    let last = this.#written.value;
    const writes: Write[] = [];
    for (const stored of fresh) {
      const { job, n, event } = stored;
      last += 1;
      writes.push({ type: 'put', sublevel: this.#log, key: positionKey(last), value: stored });
      writes.push({ type: 'put', sublevel: this.#index, key: indexKey(job, n), value: last });
      writes.push(...this.#jobs.writes(job, event));
    }
    writes.push({ type: 'put', sublevel: this.#position, key: LAST, value: last });
    try {
      await this.#store.write(writes);
    } catch (error) {
      this.#recent.forgetAll();
      throw error;
    }
    for (const stored of fresh) this.#recent.add(stored);
    this.#written.advance(last);
  }

  async #purge(job: JobId, last: number): Promise<void> {
    if ((await this.#lookUp([indexKey(job, last + 1)])).size > 0) return;
    this.#recent.forget(job);
    const writes = this.#jobs.forget(job);
    for await (const [key, position] of this.#store.scan(this.#index, jobRange(job))) {
      writes.push({ type: 'del', sublevel: this.#index, key });
      writes.push({ type: 'del', sublevel: this.#log, key: positionKey(position) });
    }
    await this.#store.write(writes);
  }

  async *#positions(job: JobId): AsyncGenerator<number, void, undefined> {
    for await (const [, position] of this.#store.scan(this.#index, jobRange(job))) yield position;
  }

  async #lookUp(keys: readonly string[]): Promise<Map<string, number>> {
    const found = await this.#store.guard(() => this.#index.getMany([...keys]));
    return new Map(keys.flatMap((key, i) => (found[i] === undefined ? [] : [[key, found[i]]])));
  }

  async #events(positions: readonly number[]): Promise<StoredEvent[]> {
    const events = await this.#store.guard(() => this.#log.getMany(positions.map(positionKey)));
    return events.filter((event) => event !== undefined);
  }
}

/** Digits of a position; enough for every safe integer, and in text order the order of numbers. */
function positionKey(position: number): string {
  return String(position).padStart(16, '0');
}

function indexKey(job: JobId, n: number): string {
  return `${formatJobId(job)}/${String(n).padStart(9, '0')}`;
}

/** All index keys of one job: "0" is the character after "/". */
function jobRange(job: JobId): { gt: string; lt: string } {
  return { gt: `${formatJobId(job)}/`, lt: `${formatJobId(job)}0` };
}

/** The event as it will be read back. */
function asStored(event: JobEvent): JobEvent {
  return JSON.parse(JSON.stringify(event));
}

function checkEvent(job: JobId, n: number): void {
  parseJobId(formatJobId(job));
  if (Number.isSafeInteger(n) && n >= 1 && n <= 999_999_999) return;
  throw new Terminal({
    code: 'bad-event-number',
    message: `Expected the number of an event, from 1 on, got ${n}.`,
  });
}

function fenced(job: JobId, n: number, why: string): Terminal {
  return new Terminal({
    code: 'journal-fenced',
    message: `Event ${n} of job ${formatJobId(job)} ${why}: another owner has the job.`,
    advice: 'Stop working on the job; its new owner continues it.',
  });
}

async function* inBatches<T>(items: AsyncIterable<T>): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < READ_BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
