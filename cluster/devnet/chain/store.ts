import { Level } from 'level';
import { LRUCache } from 'lru-cache';
import { Terminal } from '#protocols/errors';

/** Maps keys to JSON values. A value that was read must not be modified. */
export interface Reader {
  get<T>(key: string): T | undefined;
}

/** A layer of changes over a reader, which is dropped or applied as a whole, so that a failed message has no effect. */
export class Overlay implements Reader {
  readonly #below: Reader;
  /** A deleted key has the value undefined. */
  readonly #changes = new Map<string, unknown>();

  constructor(below: Reader) {
    this.#below = below;
  }

  get<T>(key: string): T | undefined {
    return this.#changes.has(key) ? (this.#changes.get(key) as T | undefined) : this.#below.get<T>(key);
  }

  put(key: string, value: unknown): void {
    this.#changes.set(key, value);
  }

  delete(key: string): void {
    this.#changes.set(key, undefined);
  }

  /** Applies the changes of a layer above this one. */
  absorb(upper: Overlay): void {
    for (const [key, value] of upper.#changes) this.#changes.set(key, value);
  }

  changes(): ReadonlyMap<string, unknown> {
    return this.#changes;
  }
}

/** Number of cached values, which queries need not parse again. */
const MAX_READ = 10_000;

type Snapshot = ReturnType<Level<string, unknown>['snapshot']>;

/**
 * The committed state in LevelDB. Reads see the last completely written block: never a part of a block, and never one
 * that a crash could still undo.
 */
export class Database implements Reader {
  readonly #level: Level<string, unknown>;
  #snapshot: Snapshot;
  /** Values read from the snapshot; `value` is undefined for a key that does not exist. */
  readonly #read = new LRUCache<string, { readonly value: unknown }>({ max: MAX_READ });

  private constructor(level: Level<string, unknown>) {
    this.#level = level;
    this.#snapshot = level.snapshot();
  }

  /** @throws Terminal `devnet-chain-storage` when the directory cannot be opened or another process has it */
  static async open(directory: string): Promise<Database> {
    const level = new Level<string, unknown>(directory, { valueEncoding: 'json' });
    try {
      await level.open();
    } catch (cause) {
      throw new Terminal({
        code: 'devnet-chain-storage',
        message: `The state of the devnet's chain in ${directory} cannot be opened.`,
        advice: 'Check that no other devnet uses the directory and that it may be written.',
        cause,
      });
    }
    return new Database(level);
  }

  get<T>(key: string): T | undefined {
    let read = this.#read.get(key);
    if (!read) {
      read = {
        value: this.#level.getSync<string, T>(key, { snapshot: this.#snapshot, valueEncoding: 'json' }),
      };
      this.#read.set(key, read);
    }
    return read.value as T | undefined;
  }

  /**
   * Entries whose keys begin with a prefix, in ascending or descending order of keys.
   * @param from the first key, without the prefix; all by default
   */
  async entries<T>(
    prefix: string,
    { from, limit, reverse }: { readonly from?: string; readonly limit: number; readonly reverse: boolean },
  ): Promise<readonly (readonly [key: string, value: T])[]> {
    const first = from === undefined ? {} : { [reverse ? 'lte' : 'gte']: `${prefix}${from}` };
    const entries = await this.#level
      .iterator<string, T>({
        gte: prefix,
        lt: `${prefix}\uffff`,
        ...first,
        limit,
        reverse,
        snapshot: this.#snapshot,
        valueEncoding: 'json',
      })
      .all();
    return entries.map(([key, value]) => [key.slice(prefix.length), value]);
  }

  /** Writes all changes or none. @param sync true if they must survive a power cut */
  async commit(changes: ReadonlyMap<string, unknown>, sync: boolean): Promise<void> {
    const operations = Array.from(changes, ([key, value]) =>
      value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
    );
    await this.#level.batch(operations, { sync });
    const before = this.#snapshot;
    this.#snapshot = this.#level.snapshot();
    for (const key of changes.keys()) this.#read.delete(key);
    await before.close();
  }

  async close(): Promise<void> {
    await this.#snapshot.close();
    await this.#level.close();
  }
}
