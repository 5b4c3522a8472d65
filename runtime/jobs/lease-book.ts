import { mkdir, rm } from 'node:fs/promises';
import { Level } from 'level';
import { Retryable, type SealionError, toSealionError } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';

/** What the leases of a node are noted in. */
export interface LeaseNotes {
  /** Our lease on this message ends in so many ms, unless it is renewed. Resolves when it is noted; never rejects. */
  note(ackSubject: string, validMs: number): Promise<void>;
  /** The lease has ended. Resolves when no later process can take it for ours any more; never rejects. */
  drop(ackSubject: string): Promise<void>;
}

export interface LeaseBookOptions {
  /** In the node's data folder; made where it is missing. */
  readonly directory: string;
  readonly log: Logger;
  /** Clocks that all processes of this machine share; for tests. */
  readonly clocks?: Clocks;
}

/** Milliseconds. */
interface Clocks {
  /** Since the machine started. */
  readonly steady: () => number;
  /** Unix time. */
  readonly wall: () => number;
}

/** A lease as it stood when it was last renewed. */
interface Entry extends Readonly<Record<keyof Clocks, number>> {
  readonly validMs: number;
}

/** A lease that ends sooner is left alone: an answer on its way might come after its end, ms. */
const MARGIN_MS = 500;

const CLOCKS: Clocks = { steady: () => Number(process.hrtime.bigint() / 1_000n) / 1_000, wall: Date.now };

/**
 * The leases that a node holds, in its data folder, so that its next process gives back at once what this one held when
 * it was killed. Only one process at a time can have the book open, so that whoever opens it knows that the one before
 * has ended, however it did. A suspended process keeps it.
 *
 * A lease is given back only while it is certain that nobody else has it: until it would have ended. That is measured by
 * two clocks, of which the steady one begins again with the machine, and the other may be set. Nothing is synced: what a
 * crash of the machine loses has ended by the next start.
 */
export class LeaseBook implements LeaseNotes {
  readonly #db: Level<string, Entry>;
  readonly #log: Logger;
  readonly #clocks: Clocks;
  /** Of the process before, by where their acknowledgements go. */
  readonly #before: Map<string, Entry>;
  /** Changes that are not yet written; undefined removes. */
  #changes = new Map<string, Entry | undefined>();
  #writing: Promise<void> | undefined;

  private constructor(db: Level<string, Entry>, before: Map<string, Entry>, options: LeaseBookOptions) {
    this.#db = db;
    this.#before = before;
    this.#log = options.log;
    this.#clocks = options.clocks ?? CLOCKS;
  }

  /** @throws Retryable `data-folder-in-use` when another process has it open, `lease-book-unavailable` */
  static async open(options: LeaseBookOptions): Promise<LeaseBook> {
    const { directory } = options;
    try {
      await mkdir(directory, { recursive: true });
      const db = new Level<string, Entry>(directory, { valueEncoding: 'json' });
      await db.open().catch(async (error: unknown) => {
        if (!codesOf(error).includes('LEVEL_CORRUPTION')) throw error;
        // It only makes the next start quicker.
        await rm(directory, { recursive: true, force: true });
        await db.open();
      });
      return new LeaseBook(db, new Map(await db.iterator().all()), options);
    } catch (error) {
      throw bookError(error, directory);
    }
  }

  note(ackSubject: string, validMs: number): Promise<void> {
    const { steady, wall } = this.#clocks;
    return this.#write(ackSubject, { steady: steady(), wall: wall(), validMs });
  }

  drop(ackSubject: string): Promise<void> {
    return this.#write(ackSubject, undefined);
  }

  /**
   * Gives back each lease of the process before that has not ended, and forgets them.
   * @returns how many were given back
   * @throws as `giveBack`; then it may be tried again
   */
  async takeBack(giveBack: (ackSubject: string) => Promise<void>): Promise<number> {
    let count = 0;
    await Promise.all(
      Array.from(this.#before, async ([ackSubject, entry]) => {
        if (this.#holds(entry)) {
          await giveBack(ackSubject);
          count += 1;
        }
        this.#before.delete(ackSubject);
        await this.drop(ackSubject);
      }),
    );
    return count;
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#db.close();
  }

  #holds({ validMs, ...noted }: Entry): boolean {
    return (['steady', 'wall'] as const).every((name) => {
      const passed = this.#clocks[name]() - noted[name];
      return passed >= 0 && passed < validMs - MARGIN_MS;
    });
  }

  /** Writes everything that has changed meanwhile at once, in order. */
  #write(ackSubject: string, entry: Entry | undefined): Promise<void> {
    this.#changes.set(ackSubject, entry);
    this.#writing = (this.#writing ?? Promise.resolve()).then(() => this.#flush());
    return this.#writing;
  }

  async #flush(): Promise<void> {
    if (this.#changes.size === 0) return;
    const changes = this.#changes;
    this.#changes = new Map();
    try {
      await this.#db.batch(
        Array.from(changes, ([key, value]) => (value ? { type: 'put', key, value } : { type: 'del', key })),
      );
    } catch (thrown) {
      this.#log.warn({ error: toSealionError(thrown) }, 'could not note the leases of this node');
    }
  }
}

function bookError(thrown: unknown, directory: string): SealionError {
  if (codesOf(thrown).includes('LEVEL_LOCKED')) {
    return new Retryable({
      code: 'data-folder-in-use',
      message: `Another process has ${directory} open.`,
      advice: 'Stop it, or give this node a data folder of its own.',
      cause: thrown,
    });
  }
  return new Retryable({
    code: 'lease-book-unavailable',
    message: `The leases in ${directory} cannot be read: ${thrown instanceof Error ? thrown.message : thrown}`,
    advice: 'Check that the disk has space and that the directory may be written.',
    cause: thrown,
  });
}

/** The library wraps the cause of a failed open. */
function codesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return [];
  return ['code' in thrown ? String(thrown.code) : '', ...codesOf(thrown.cause)];
}
