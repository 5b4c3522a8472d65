import { randomUUID } from 'node:crypto';
import { type SealionError, throwIfAborted } from '#protocols/errors';
import type { JobEvent } from '#protocols/job/events';
import type { JobId } from '#protocols/job/identity';
import type { Sizes } from '../telemetry/sizes.ts';
import { type Append, checkEvent, judge } from './fence.ts';
import { GroupCommit } from './group-commit.ts';
import type { Journal, Ledger, Positioned, StoredEvent } from './journal.ts';
import { LevelLedger } from './level-ledger.ts';
import { LevelLog } from './level-log.ts';
import { LevelStore } from './level-store.ts';

const ID = 'id';

/** Appends and purges that share a write, and those that wait for theirs. */
const LIMITS = { batch: 256, waiting: 10_000 };

/**
 * Opens the embedded journal (ARCHITECTURE.md#one-owner-for-each-object): one LevelDB, one process, every append synced before it resolves.
 * @param options.directory made where it is missing
 * @throws Retryable `journal-locked` when another process has it open, `journal-unavailable`;
 * Terminal `journal-corrupt`
 */
export async function openLevelJournal(options: {
  readonly directory: string;
  /** Shown how many writes wait. */
  readonly sizes?: Sizes;
}): Promise<Journal> {
  const store = await LevelStore.open(options.directory);
  try {
    const journal = new LevelJournal(await identityOf(store), store, await LevelLog.open(store));
    await store.tablesOpen();
    const used = () => journal.waiting;
    options.sizes?.watchBound({ what: 'journal_writes', unit: 'items', limit: () => LIMITS.waiting, used });
    return journal;
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

/**
 * A pending purge of a job; queued with the appends, so that no append of the job is validated against purged
 * events.
 */
interface Purge {
  readonly purge: JobId;
  readonly last: number;
}

/** Lets one group of appends and purges after the other change the log; reads go straight to it. */
class LevelJournal implements Journal {
  readonly id: string;
  readonly writer = randomUUID();
  readonly ledger: Ledger;
  readonly #store: LevelStore;
  readonly #log: LevelLog;
  readonly #changes = new GroupCommit<Append | Purge>((group) => this.#change(group), LIMITS);

  constructor(id: string, store: LevelStore, log: LevelLog) {
    this.id = id;
    this.#store = store;
    this.#log = log;
    this.ledger = new LevelLedger(store);
  }

  /** Appends and purges that wait for their write. */
  get waiting(): number {
    return this.#changes.waiting;
  }

  async append(
    job: JobId,
    n: number,
    event: JobEvent,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    throwIfAborted(options.signal);
    checkEvent(job, n);
    await this.#changes.submit({ job, n, event });
  }

  read(job: JobId, options: { readonly signal?: AbortSignal } = {}): Promise<readonly StoredEvent[]> {
    return this.#log.read(job, options.signal);
  }

  openJobs(options: { readonly signal?: AbortSignal } = {}): AsyncIterable<JobId> {
    return this.#log.jobs.open(options.signal);
  }

  endedJobs(before: number, options: { readonly signal?: AbortSignal } = {}): AsyncIterable<JobId> {
    return this.#log.jobs.ended(before, options.signal);
  }

  async position(): Promise<number> {
    return this.#log.position;
  }

  tail(after: number, options: { readonly signal: AbortSignal }): AsyncIterable<Positioned> {
    return this.#log.tail(after, options.signal);
  }

  async purge(job: JobId, last: number): Promise<void> {
    await this.#changes.submit({ purge: job, last });
  }

  async close(): Promise<void> {
    this.#log.close();
    await this.#changes.close();
    await this.#store.close();
  }

  /** @returns for each of the group why it was refused */
  async #change(group: readonly (Append | Purge)[]): Promise<(SealionError | undefined)[]> {
    const refusals: (SealionError | undefined)[] = [];
    let appends: Append[] = [];
    for (const one of group) {
      if (!('purge' in one)) {
        appends.push(one);
        continue;
      }
      refusals.push(...(await this.#append(appends)));
      appends = [];
      await this.#log.purge(one.purge, one.last);
      refusals.push(undefined);
    }
    refusals.push(...(await this.#append(appends)));
    return refusals;
  }

  /** Writes all valid appends in one synced batch. @returns why each of the others was refused */
  async #append(appends: readonly Append[]): Promise<readonly (SealionError | undefined)[]> {
    if (appends.length === 0) return [];
    const { fresh, refusals } = judge(appends, await this.#log.around(appends), this.writer);
    if (fresh.length > 0) await this.#log.write(fresh);
    return refusals;
  }
}
