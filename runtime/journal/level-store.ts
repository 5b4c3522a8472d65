import { mkdir } from 'node:fs/promises';
import { type BatchOperation, Level } from 'level';
import type { SealionError } from '#protocols/errors';
import { GroupCommit } from './group-commit.ts';
import { levelError } from './level-errors.ts';

/** A named part of the database with text keys and JSON values. */
export type Table<V> = ReturnType<typeof table<V>>;
export type Write = BatchOperation<Level, string, unknown>;

function table<V>(db: Level, name: string) {
  return db.sublevel<string, V>(name, { valueEncoding: 'json' });
}

export interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly limit?: number;
}

/** Writes that share one sync, and those that wait for theirs. */
const LIMITS = { batch: 256, waiting: 10_000 };

/** One LevelDB: every write is synced, every failure is one of ours. */
export class LevelStore {
  readonly #db: Level;
  readonly #directory: string;
  readonly #tables: { open(): Promise<void> }[] = [];
  readonly #commits = new GroupCommit<readonly Write[]>((groups) => this.#commit(groups), LIMITS);

  private constructor(db: Level, directory: string) {
    this.#db = db;
    this.#directory = directory;
  }

  /** @throws Retryable `journal-locked`, `journal-unavailable`; Terminal `journal-corrupt` */
  static async open(directory: string): Promise<LevelStore> {
    try {
      await mkdir(directory, { recursive: true });
      const db = new Level(directory);
      await db.open();
      return new LevelStore(db, directory);
    } catch (error) {
      throw levelError(error, directory);
    }
  }

  table<V>(name: string): Table<V> {
    const made = table<V>(this.#db, name);
    this.#tables.push(made);
    return made;
  }

  /** Resolves when all tables may be looked into. */
  async tablesOpen(): Promise<void> {
    await this.guard(() => Promise.all(this.#tables.map((one) => one.open())));
  }

  /** All or nothing, and on the disk when it resolves. */
  async write(operations: Write[]): Promise<void> {
    await this.#commits.submit(operations);
  }

  /** Together; if that fails, each by itself in their order, so that a faulty one fails alone. */
  async #commit(groups: readonly (readonly Write[])[]): Promise<(SealionError | undefined)[]> {
    const whole = await this.#batch(groups.flat());
    if (!whole) return [];
    if (groups.length === 1) return [whole];
    const failures: (SealionError | undefined)[] = [];
    for (const group of groups) failures.push(await this.#batch(group));
    return failures;
  }

  async #batch(operations: readonly Write[]): Promise<SealionError | undefined> {
    try {
      await this.#db.batch([...operations], { sync: true });
      return undefined;
    } catch (error) {
      return levelError(error, this.#directory);
    }
  }

  /** Entries of a range in key order, as they were when it began. */
  async *scan<V>(from: Table<V>, range: Range): AsyncGenerator<[string, V], void, undefined> {
    try {
      yield* from.iterator(range);
    } catch (error) {
      throw levelError(error, this.#directory);
    }
  }

  /** The same at once, for a range with a limit. */
  async page<V>(from: Table<V>, range: Range & { readonly limit: number }): Promise<[string, V][]> {
    return await this.guard(() => from.iterator(range).all());
  }

  /**
   * One entry of a table that is open. What is looked up was mostly written a moment ago, or never: LevelDB then finds that out in memory, in a
   * fifth of the time that it takes to ask another thread.
   */
  look<V>(from: Table<V>, key: string): V | undefined {
    try {
      return from.getSync(key);
    } catch (error) {
      throw levelError(error, this.#directory);
    }
  }

  async guard<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw levelError(error, this.#directory);
    }
  }

  async close(): Promise<void> {
    await this.#commits.close();
    await this.guard(() => this.#db.close());
  }
}
