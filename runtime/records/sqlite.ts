import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { CompiledQuery, type DatabaseConnection, SqliteDialect } from 'kysely';
import Database from 'libsql';
import type { Records } from './records.ts';
import { SqlDatabase } from './sql-database.ts';
import { SqlRecords } from './sql-records.ts';

/**
 * A node waits no longer than this (ms) for a lock that another program holds on the file: the wait blocks the
 * process.
 */
const BUSY_TIMEOUT_MS = 50;

/**
 * Records in a SQLite file, which is made where there is none. The write-ahead log keeps readers and the writer
 * apart; a power cut can take the last transactions: what came from the journal is then projected again.
 */
export function sqliteRecords(file: string): Records {
  const dialect = () =>
    new SqliteDialect({
      database: async () => {
        mkdirSync(dirname(file), { recursive: true });
        return new Database(file);
      },
      onCreateConnection: configure,
    });
  return new SqlRecords(
    new SqlDatabase(
      dialect,
      `Uploads continue, and the SQL DB catches up later. Check disk space and permissions of ${file}; a damaged file can be removed while the node is stopped, and is then built again from the journal, except for the off-chain keys, which users have to register again.`,
    ),
  );
}

async function configure(connection: DatabaseConnection): Promise<void> {
  for (const setting of ['journal_mode = wal', 'synchronous = normal', `busy_timeout = ${BUSY_TIMEOUT_MS}`]) {
    await connection.executeQuery(CompiledQuery.raw(`pragma ${setting}`));
  }
}
