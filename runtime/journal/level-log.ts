import { throwIfAborted } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { type EventsByKey, eventKey } from './fence.ts';
import type { Positioned, StoredEvent } from './journal.ts';
import { LevelJobIndex } from './level-job-index.ts';
import type { LevelStore, Table, Write } from './level-store.ts';
import { RecentEvents } from './recent-events.ts';
import { RecentJobs } from './recent-jobs.ts';
import { Watermark } from './watermark.ts';

const READ_BATCH = 256;
const LAST = 'last';

/**
 * The events as LevelDB stores them: `log` has them by position, `index` maps job and number to the position, and
 * `position` is the last one used, so that a purge does not free it. Writes and purges come one at a time.
 */
export class LevelLog {
  /** Which jobs are open, and which have ended. */
  readonly jobs: LevelJobIndex;
  readonly #store: LevelStore;
  readonly #log: Table<StoredEvent>;
  readonly #index: Table<number>;
  readonly #position: Table<number>;
  readonly #recent = new RecentJobs();
  readonly #latest = new RecentEvents();
  readonly #written = new Watermark(0);
  /** A write failed, and only the disk knows how far it came. */
  #uncertain = false;

  private constructor(store: LevelStore) {
    this.jobs = new LevelJobIndex(store);
    this.#store = store;
    this.#log = store.table('log');
    this.#index = store.table('index');
    this.#position = store.table('position');
  }

  static async open(store: LevelStore): Promise<LevelLog> {
    const log = new LevelLog(store);
    await log.jobs.build(log.#log);
    await log.#findEnd();
    return log;
  }

  /** Position of the last event written; 0 if there is none. */
  get position(): number {
    return this.#written.value;
  }

  /** All events of a job in order. */
  async read(job: JobId, signal?: AbortSignal): Promise<readonly StoredEvent[]> {
    const recent = this.#recent.read(job);
    if (recent) return recent;
    // most of what is asked for is not there yet, and one look at a key costs less than an iterator
    if (this.#store.look(this.#index, eventKey(job, 1)) === undefined) {
      this.#recent.addUnknown(job);
      return [];
    }
    const events: StoredEvent[] = [];
    let positions: number[] = [];
    for await (const [, position] of this.#store.scan(this.#index, jobRange(job))) {
      throwIfAborted(signal);
      positions.push(position);
      if (positions.length < READ_BATCH) continue;
      events.push(...(await this.#events(positions)));
      positions = [];
    }
    return [...events, ...(await this.#events(positions))];
  }

  /** Events after a position, oldest first, then new ones, until the signal fires or the log is closed. */
  async *tail(after: number, signal: AbortSignal): AsyncGenerator<Positioned, void, undefined> {
    let position = after;
    while (await this.#written.above(position, signal)) {
      const written = this.#written.value;
      const page = this.#latest.after(position, READ_BATCH) ?? (await this.#page(position));
      for (const event of page) {
        if (signal.aborted) return;
        position = event.position;
        yield event;
      }
      // purged events leave gaps, at the end too
      if (page.length < READ_BATCH) position = Math.max(position, written);
    }
  }

  /** The events that are there under these numbers, and those before them. */
  async around(events: readonly { readonly job: JobId; readonly n: number }[]): Promise<EventsByKey> {
    if (this.#uncertain) await this.#findEnd();
    const found: EventsByKey = new Map();
    const unknown = new Set<string>();
    for (const { job, n } of events) {
      const recent = this.#recent.read(job);
      for (const number of n > 1 ? [n - 1, n] : [n]) {
        const key = eventKey(job, number);
        const event = recent?.[number - 1];
        if (event) found.set(key, event);
        else if (!recent) unknown.add(key);
      }
    }
    for (const event of await this.#events(await this.#positions([...unknown]))) {
      found.set(eventKey(event.job, event.n), event);
    }
    return found;
  }

  /** Writes events behind all others: all or nothing. `around` comes first. */
  async write(fresh: readonly StoredEvent[]): Promise<void> {
    const before = this.#written.value;
    let last = before;
    const writes: Write[] = [];
    for (const stored of fresh) {
      const { job, n, event } = stored;
      last += 1;
      writes.push({ type: 'put', sublevel: this.#log, key: positionKey(last), value: stored });
      writes.push({ type: 'put', sublevel: this.#index, key: eventKey(job, n), value: last });
      writes.push(...this.jobs.writes(job, event));
    }
    writes.push({ type: 'put', sublevel: this.#position, key: LAST, value: last });
    try {
      await this.#store.write(writes);
    } catch (error) {
      this.#recent.forgetAll();
      this.#uncertain = true;
      throw error;
    }
    for (const [i, stored] of fresh.entries()) {
      this.jobs.written(stored.job, stored.event);
      this.#recent.add(stored);
      this.#latest.add({ ...stored, position: before + i + 1 });
    }
    this.#written.advance(last);
  }

  /** Deletes a job whose last event is number `last`; keeps it when it has a newer one. */
  async purge(job: JobId, last: number): Promise<void> {
    if ((await this.#positions([eventKey(job, last + 1)])).length > 0) return;
    this.#recent.forget(job);
    this.#latest.forget(job);
    const writes = this.jobs.forget(job);
    for await (const [key, position] of this.#store.scan(this.#index, jobRange(job))) {
      writes.push({ type: 'del', sublevel: this.#index, key });
      writes.push({ type: 'del', sublevel: this.#log, key: positionKey(position) });
    }
    await this.#store.write(writes);
  }

  /** Ends all tails. */
  close(): void {
    this.#written.close();
  }

  async #findEnd(): Promise<void> {
    this.#written.advance((await this.#store.guard(() => this.#position.get(LAST))) ?? 0);
    this.#latest.beginAfter(this.#written.value);
    this.#uncertain = false;
  }

  async #page(after: number): Promise<Positioned[]> {
    const page = await this.#store.page(this.#log, { gt: positionKey(after), limit: READ_BATCH });
    return page.map(([key, event]) => ({ ...event, position: Number(key) }));
  }

  async #positions(keys: readonly string[]): Promise<number[]> {
    if (keys.length === 0) return [];
    const positions = await this.#store.guard(() => this.#index.getMany([...keys]));
    return positions.filter((position) => position !== undefined);
  }

  async #events(positions: readonly number[]): Promise<StoredEvent[]> {
    if (positions.length === 0) return [];
    const events = await this.#store.guard(() => this.#log.getMany(positions.map(positionKey)));
    return events.filter((event) => event !== undefined);
  }
}

/** Digits of a position; enough for every safe integer, and in text order the order of numbers. */
function positionKey(position: number): string {
  return String(position).padStart(16, '0');
}

/** All index keys of one job: "0" is the character after "/". */
function jobRange(job: JobId): { gt: string; lt: string } {
  return { gt: `${formatJobId(job)}/`, lt: `${formatJobId(job)}0` };
}
