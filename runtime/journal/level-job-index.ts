import { LRUCache } from 'lru-cache';
import { throwIfAborted } from '#protocols/errors';
import type { JobEvent } from '#protocols/job/events';
import { formatJobId, type JobId, parseJobId } from '#protocols/job/identity';
import { isTerminal } from '#protocols/job/states';
import { STATE_AFTER } from '#protocols/job/transitions';
import type { StoredEvent } from './journal.ts';
import type { LevelStore, Table, Write } from './level-store.ts';

const BUILT = 'built';
const WRITES_AT_ONCE = 1_000;
/** Open jobs whose entry is known to be there. */
const KNOWN_OPEN = { max: 10_000 };

/**
 * Index of open and ended jobs, so that a search for work need not read the whole history. Written in the same
 * batch as the event that changes it.
 */
export class LevelJobIndex {
  readonly #store: LevelStore;
  readonly #open: Table<true>;
  /** Unix ms of the event that ended the job. */
  readonly #ended: Table<number>;
  readonly #about: Table<boolean>;
  readonly #knownOpen = new LRUCache<string, true>(KNOWN_OPEN);

  constructor(store: LevelStore) {
    this.#store = store;
    this.#open = store.table('open');
    this.#ended = store.table('ended');
    this.#about = store.table('job-index');
  }

  /** Builds the index of a journal from a release without one. @param log its events, in order */
  async build(log: Table<StoredEvent>): Promise<void> {
    if (await this.#store.guard(() => this.#about.get(BUILT))) return;
    const latest = new Map<string, Write[]>();
    for await (const [, { job, event }] of this.#store.scan(log, {})) {
      const writes = this.writes(job, event);
      if (writes.length > 0) latest.set(formatJobId(job), writes);
    }
    const writes = [...latest.values()].flat();
    while (writes.length > 0) await this.#store.write(writes.splice(0, WRITES_AT_ONCE));
    await this.#store.write([{ type: 'put', sublevel: this.#about, key: BUILT, value: true }]);
  }

  /** The index writes of an event; none if it does not change whether the job is open. */
  writes(job: JobId, event: JobEvent): Write[] {
    const state = STATE_AFTER[event.type];
    if (!state) return [];
    const key = formatJobId(job);
    if (isTerminal(state)) {
      // at once, since the next event may be in the same batch
      this.#knownOpen.delete(key);
      return [
        { type: 'del', sublevel: this.#open, key },
        { type: 'put', sublevel: this.#ended, key, value: event.at },
      ];
    }
    if (this.#knownOpen.get(key)) return [];
    return [
      { type: 'put', sublevel: this.#open, key, value: true },
      { type: 'del', sublevel: this.#ended, key },
    ];
  }

  /** An event is durable, together with its `writes`. */
  written(job: JobId, event: JobEvent): void {
    const state = STATE_AFTER[event.type];
    if (!state) return;
    const key = formatJobId(job);
    if (isTerminal(state)) this.#knownOpen.delete(key);
    else this.#knownOpen.set(key, true);
  }

  forget(job: JobId): Write[] {
    const key = formatJobId(job);
    this.#knownOpen.delete(key);
    return [
      { type: 'del', sublevel: this.#open, key },
      { type: 'del', sublevel: this.#ended, key },
    ];
  }

  async *open(signal?: AbortSignal): AsyncGenerator<JobId, void, undefined> {
    for await (const [key] of this.#store.scan(this.#open, {})) {
      throwIfAborted(signal);
      yield parseJobId(key);
    }
  }

  async *ended(before: number, signal?: AbortSignal): AsyncGenerator<JobId, void, undefined> {
    for await (const [key, at] of this.#store.scan(this.#ended, {})) {
      throwIfAborted(signal);
      if (at < before) yield parseJobId(key);
    }
  }
}
