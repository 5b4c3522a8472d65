import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import type { Records } from './records.ts';
import { SqlDatabase } from './sql-database.ts';
import { SqlRecords } from './sql-records.ts';

export interface PostgresOptions {
  /** `postgresql://<user>@<host>:<port>/<database>`; `?sslmode=verify-full` and the like where the server asks for it. */
  readonly url: string;
  readonly password?: string;
  readonly log: Logger;
}

/** Connections of one node. */
const CONNECTIONS = 8;
/** How long a connection is waited for, ms: requests are authenticated by what the database holds. */
const CONNECT_LIMIT_MS = 10_000;
/** How long a statement may take, ms: a database that has stopped answers nothing, not even with an error. */
const STATEMENT_LIMIT_MS = 15_000;
/** Type of `bigint`; it is text by default. Ours are times, sizes and ids of 32 bits, all below 2^53. */
const INT8 = 20;

/** Records in a PostgreSQL database, which all nodes of an SP share. Whichever comes first creates the tables. */
export function postgresRecords({ url, password, log }: PostgresOptions): Records {
  const dialect = () => {
    const pool = new pg.Pool({
      connectionString: withPassword(url, password),
      max: CONNECTIONS,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: STATEMENT_LIMIT_MS,
      statement_timeout: STATEMENT_LIMIT_MS,
      keepAlive: true,
      application_name: 'sealion',
      types: { getTypeParser },
    });
    // An idle connection that ends is replaced by the pool; only a use that fails concerns anybody.
    pool.on('error', (error) => log.debug({ error }, 'a connection to the SQL DB ended'));
    return new PostgresDialect({ pool });
  };
  return new SqlRecords(
    new SqlDatabase(
      dialect,
      `Uploads continue, and the SQL DB catches up later. Check that PostgreSQL runs at ${placeOf(url)} and that its user may create tables there.`,
      { keepsConnections: true },
    ),
  );
}

function getTypeParser(type: number, format?: 'text' | 'binary') {
  return type === INT8 ? Number : pg.types.getTypeParser(type, format);
}

/** The driver ignores a password that is given besides a URL. */
function withPassword(url: string, password: string | undefined): string {
  const whole = new URL(url);
  if (password !== undefined) whole.password = encodeURIComponent(password);
  return whole.href;
}

/** Without user and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
