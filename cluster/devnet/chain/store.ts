import { Level } from 'level';
import { Terminal } from '#protocols/errors';

/** Keys to JSON values; what is read is never changed in place. */
export interface Reader {
  get<T>(key: string): T | undefined;
}

/** A layer of changes over a reader, thrown away or taken over as a whole: how a chain undoes a failed message. */
export class Overlay implements Reader {
  readonly #below: Reader;
  /** undefined marks what is deleted. */
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

  /** Takes over the changes of a layer that lies on this one. */
  absorb(upper: Overlay): void {
    for (const [key, value] of upper.#changes) this.#changes.set(key, value);
  }

  changes(): ReadonlyMap<string, unknown> {
    return this.#changes;
  }
}

type Snapshot = ReturnType<Level<string, unknown>['snapshot']>;

/**
 * The committed state in LevelDB. Reads see one block as a whole, the last whose write has ended: never half of
 * one, and never one that a crash could still take back.
 */
export class Database implements Reader {
  readonly #level: Level<string, unknown>;
  #snapshot: Snapshot;

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
    return this.#level.getSync<string, T>(key, { snapshot: this.#snapshot, valueEncoding: 'json' });
  }

  /** Writes all changes or none. @param sync also through a power cut */
  async commit(changes: ReadonlyMap<string, unknown>, sync: boolean): Promise<void> {
    const operations = Array.from(changes, ([key, value]) =>
      value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
    );
    await this.#level.batch(operations, { sync });
    const before = this.#snapshot;
    this.#snapshot = this.#level.snapshot();
    await before.close();
  }

  async close(): Promise<void> {
    await this.#snapshot.close();
    await this.#level.close();
  }
}
