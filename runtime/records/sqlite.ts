import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { CompiledQuery, type DatabaseConnection, SqliteDialect } from 'kysely';
import Database from 'libsql';
import type { Records } from './records.ts';
import { SqlDatabase } from './sql-database.ts';
import { SqlRecords } from './sql-records.ts';

/**
 * Time limit for a lock that another program holds on the file, ms; short because the wait blocks the whole process.
 */
const BUSY_TIMEOUT_MS = 50;

/**
 * Records in a SQLite file, created if it does not exist. With the write-ahead log, readers and the writer do not block
 * each other. A power cut may lose the last transactions; jobs are then projected again.
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
