import { type Dialect, Kysely } from 'kysely';
import { Retryable, SealionError, Terminal } from '#protocols/errors';
import { migrate, type Schema } from './schema.ts';

export interface SqlDatabaseOptions {
  /**
   * True when the dialect itself replaces failed connections, and a failure does not affect concurrent uses. Otherwise
   * the database is opened again after a failure.
   */
  readonly keepsConnections?: boolean;
}

/** Any SQL database with our schema, opened by its first use. */
export class SqlDatabase {
  readonly #dialect: () => Dialect;
  readonly #advice: string;
  readonly #keepsConnections: boolean;
  #opening: Promise<Kysely<Schema>> | undefined;
  #closed = false;

  /**
   * @param dialect creates the connection; may throw
   * @param advice what an operator can do when the database is unavailable
   */
  constructor(dialect: () => Dialect, advice: string, { keepsConnections = false }: SqlDatabaseOptions = {}) {
    this.#dialect = dialect;
    this.#advice = advice;
    this.#keepsConnections = keepsConnections;
  }

  /**
   * Runs work with the database. Our own errors are rethrown; any other counts as a failure of the database.
   * @throws Retryable `records-unavailable`, Terminal `records-closed`
   */
  async use<R>(work: (db: Kysely<Schema>) => Promise<R>): Promise<R> {
    if (this.#closed) throw new Terminal({ code: 'records-closed', message: 'The SQL DB was closed.' });
    this.#opening ??= this.#open();
    const opening = this.#opening;
    let opened = false;
    try {
      const db = await opening;
      opened = true;
      return await work(db);
    } catch (cause) {
      if (cause instanceof SealionError) throw cause;
      if (!opened || !this.#keepsConnections) await this.#disconnect(opening);
      throw new Retryable({
        code: 'records-unavailable',
        message: `The SQL DB failed: ${cause instanceof Error ? cause.message : String(cause)}`,
        advice: this.#advice,
        cause,
      });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#disconnect(this.#opening);
  }

  async #open(): Promise<Kysely<Schema>> {
    const db = new Kysely<Schema>({ dialect: this.#dialect() });
    try {
      await migrate(db);
      return db;
    } catch (error) {
      await db.destroy();
      throw error;
    }
  }

  /** Drops a connection after a failure, since it may remain unusable (libsql keeps the failed statement). */
  async #disconnect(opening: Promise<Kysely<Schema>> | undefined): Promise<void> {
    if (this.#opening === opening) this.#opening = undefined;
    const db = await opening?.catch(() => undefined);
    await db?.destroy();
  }
}
