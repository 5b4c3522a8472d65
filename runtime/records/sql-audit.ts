import type { Audit, AuditEntry } from './audit.ts';
import type { OperatorActionRow } from './schema.ts';
import type { SqlDatabase } from './sql-database.ts';

const TABLE = 'operator_action';
/** Actions are kept this long, ms. */
const KEPT_MS = 366 * 24 * 3_600_000;

/** The record of actions in any SQL database. */
export class SqlAudit implements Audit {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  begin({ id, at, who, action, target, reason }: Parameters<Audit['begin']>[0]): Promise<void> {
    return this.#database.use(async (db) => {
      await db
        .deleteFrom(TABLE)
        .where('at', '<', at - KEPT_MS)
        .execute();
      await db
        .insertInto(TABLE)
        .values({ id, at, who, action, target, reason: reason ?? null, outcome: null, is_done: 0 })
        .execute();
    });
  }

  end(id: string, { outcome, isDone }: Pick<AuditEntry, 'outcome' | 'isDone'>): Promise<void> {
    return this.#database.use(async (db) => {
      await db
        .updateTable(TABLE)
        .set({ outcome, is_done: isDone ? 1 : 0 })
        .where('id', '=', id)
        .execute();
    });
  }

  newest(limit: number): Promise<readonly AuditEntry[]> {
    return this.#database.use(async (db) => {
      const rows = await db
        .selectFrom(TABLE)
        .selectAll()
        .orderBy('at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(entryOf);
    });
  }
}

function entryOf({ reason, outcome, is_done, ...facts }: OperatorActionRow): AuditEntry {
  return {
    ...facts,
    ...(reason !== null && { reason }),
    outcome: outcome ?? '',
    isDone: is_done === 1,
  };
}
