import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from '../telemetry/logger.ts';
import type { Records } from './records.ts';
import { SqlDatabase } from './sql-database.ts';
import { SqlRecords } from './sql-records.ts';

export interface PostgresOptions {
  /** `postgresql://<user>@<host>:<port>/<database>`, with `?sslmode=verify-full` or similar if required. */
  readonly url: string;
  readonly password?: string;
  readonly log: Logger;
}

/** Maximum number of connections of one node. */
const CONNECTIONS = 8;
/** Time limit for getting a connection, ms: clients wait for it when the off-chain key of a request is looked up. */
const CONNECT_LIMIT_MS = 10_000;
/** Time limit of a statement, ms: a database that hangs does not even answer with an error. */
const STATEMENT_LIMIT_MS = 15_000;
/** Object id of the type `bigint`, which is read as text by default. Our values are all below 2^53. */
const INT8 = 20;

/** Records in a PostgreSQL database that all nodes of an SP share. The first node creates the tables. */
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
    // The pool replaces connections that end; only failed statements are errors. It listens to idle connections alone.
    const ended = (error: Error) => log.debug({ error }, 'a connection to the SQL DB ended');
    pool.on('error', ended);
    pool.on('connect', (client) => client.on('error', ended));
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

/** Adds the password to the URL, since the driver ignores a separate one. */
function withPassword(url: string, password: string | undefined): string {
  const whole = new URL(url);
  if (password !== undefined) whole.password = encodeURIComponent(password);
  return whole.href;
}

/** The URL without user and password. */
function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
