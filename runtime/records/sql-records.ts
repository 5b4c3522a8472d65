import type { Kysely, Transaction } from 'kysely';
import { Terminal } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import type { Audit } from './audit.ts';
import type { OffChainKeys } from './off-chain-keys.ts';
import type { JobProjection, JobRecord, QueueSummary, Records, SecondaryRecord } from './records.ts';
import {
  contextRow,
  integrityRow,
  jobRecord,
  keyOf,
  objectRow,
  pieceHashRows,
  secondaryRecord,
  secondaryRows,
} from './rows.ts';
import { type JobKey, PRIMARY, type Schema } from './schema.ts';
import { SqlAudit } from './sql-audit.ts';
import type { SqlDatabase } from './sql-database.ts';
import { SqlOffChainKeys } from './sql-off-chain-keys.ts';
import { searchJobs, selectJobs, summarise } from './sql-search.ts';

const JOURNAL = 'journal';
/** The tables that are projected from the journal. */
const JOB_TABLES = ['job_context', 'object', 'secondary', 'integrity_meta', 'piece_hash'] as const;
const MAX_LIMIT = 1000;
/** Keeps an insert below the maximum number of parameters of one statement in every database. */
const ROWS_PER_INSERT = 1000;

/** Records in any SQL database. */
export class SqlRecords implements Records {
  readonly offChainKeys: OffChainKeys;
  readonly audit: Audit;
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
    this.offChainKeys = new SqlOffChainKeys(database);
    this.audit = new SqlAudit(database);
  }

  position(): Promise<number> {
    return this.#database.use(async (db) => (await projectionOf(db))?.position ?? 0);
  }

  follow(journal: { readonly id: string; readonly position: number }): Promise<number> {
    return this.#database.use((db) =>
      db.transaction().execute(async (sql) => {
        const known = await projectionOf(sql);
        const isSame = known?.journal_id === journal.id;
        if (isSame && known.position <= journal.position) return known.position;
        if (known?.journal_id && !isSame) {
          for (const table of JOB_TABLES) await sql.deleteFrom(table).execute();
        }
        const from = { position: 0, journal_id: journal.id };
        await sql
          .insertInto('projection')
          .values({ name: JOURNAL, ...from })
          .onConflict((on) => on.column('name').doUpdateSet(from))
          .execute();
        return 0;
      }),
    );
  }

  project(batch: { readonly jobs: readonly JobProjection[]; readonly position: number }): Promise<void> {
    return this.#database.use((db) =>
      db.transaction().execute(async (sql) => {
        if (batch.jobs.length > 0) await writeJobs(sql, batch.jobs);
        await sql
          .insertInto('projection')
          .values({ name: JOURNAL, position: batch.position })
          .onConflict((on) => on.column('name').doUpdateSet({ position: batch.position }))
          .execute();
      }),
    );
  }

  job(job: JobId): Promise<JobRecord | undefined> {
    return this.#database.use(async (db) => {
      const row = await selectJobs(db)
        .where('job_context.object_id', '=', job.objectId)
        .where('job_context.version', '=', job.version)
        .executeTakeFirst();
      return row && jobRecord(row);
    });
  }

  secondaries(job: JobId): Promise<readonly SecondaryRecord[]> {
    return this.#database.use(async (db) => {
      const rows = await db
        .selectFrom('secondary')
        .selectAll()
        .where((eb) => eb.and({ ...keyOf(job) }))
        .orderBy('redundancy_index')
        .execute();
      return rows.map(secondaryRecord);
    });
  }

  async jobs(query: Parameters<Records['jobs']>[0]): Promise<readonly JobRecord[]> {
    if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > MAX_LIMIT) {
      throw new Terminal({
        code: 'bad-query',
        message: `limit: expected a whole number from 1 to ${MAX_LIMIT}, got ${query.limit}.`,
        advice: `Give a whole number from 1 to ${MAX_LIMIT}.`,
      });
    }
    if (query.states?.length === 0) return [];
    return this.#database.use(async (db) => {
      let select = selectJobs(db)
        .orderBy('job_context.created_at', 'desc')
        .orderBy('job_context.object_id', 'desc')
        .orderBy('job_context.version', 'desc')
        .limit(query.limit);
      if (query.states) select = select.where('state', 'in', query.states);
      const { before } = query;
      if (before) {
        select = select.where((eb) =>
          eb(
            eb.refTuple('job_context.created_at', 'job_context.object_id', 'job_context.version'),
            '<',
            eb.tuple(before.createdAt, before.job.objectId, before.job.version),
          ),
        );
      }
      return (await select.execute()).map(jobRecord);
    });
  }

  summary(states: readonly JobStateName[]): Promise<QueueSummary> {
    return this.#database.use((db) => summarise(db, states));
  }

  search(text: string, limit: number): Promise<readonly JobRecord[]> {
    return this.#database.use((db) => searchJobs(db, text, limit));
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

function projectionOf(db: Kysely<Schema>) {
  return db
    .selectFrom('projection')
    .select(['position', 'journal_id'])
    .where('name', '=', JOURNAL)
    .executeTakeFirst();
}

async function writeJobs(sql: Transaction<Schema>, jobs: readonly JobProjection[]): Promise<void> {
  const keys = jobs.map(({ context }) => keyOf(context.id));
  for (const table of ['job_context', 'object', 'secondary'] as const) await deleteOf(sql, table, keys);
  await sql.insertInto('job_context').values(jobs.map(contextRow)).execute();
  await sql.insertInto('object').values(jobs.map(objectRow)).execute();
  const secondaries = jobs.flatMap(secondaryRows);
  if (secondaries.length > 0) await sql.insertInto('secondary').values(secondaries).execute();
  await writePayloads(sql, jobs);
}

/** An object may have thousands of checksums, so they are written only when the payload has changed. */
async function writePayloads(sql: Transaction<Schema>, jobs: readonly JobProjection[]): Promise<void> {
  const stored = await sql
    .selectFrom('integrity_meta')
    .select(['object_id', 'version', 'integrity_hash'])
    .where((eb) => eb.or(jobs.map(({ context }) => eb.and(payloadOf(context.id)))))
    .execute();
  const hashes = new Map(stored.map((row) => [`${row.object_id}.${row.version}`, row.integrity_hash]));
  const changed = jobs.filter(
    (job) => hashes.get(formatJobId(job.context.id)) !== integrityRow(job)?.integrity_hash,
  );
  if (changed.length === 0) return;
  for (const table of ['integrity_meta', 'piece_hash'] as const) {
    await sql
      .deleteFrom(table)
      .where((eb) => eb.or(changed.map(({ context }) => eb.and(payloadOf(context.id)))))
      .execute();
  }
  const rows = changed.flatMap((job) => integrityRow(job) ?? []);
  if (rows.length > 0) await sql.insertInto('integrity_meta').values(rows).execute();
  const pieces = changed.flatMap(pieceHashRows);
  for (let from = 0; from < pieces.length; from += ROWS_PER_INSERT) {
    await sql
      .insertInto('piece_hash')
      .values(pieces.slice(from, from + ROWS_PER_INSERT))
      .execute();
  }
}

function payloadOf(job: JobId): JobKey & { redundancy_index: number } {
  return { ...keyOf(job), redundancy_index: PRIMARY };
}

async function deleteOf(
  sql: Transaction<Schema>,
  table: 'job_context' | 'object' | 'secondary',
  keys: readonly JobKey[],
): Promise<void> {
  await sql
    .deleteFrom(table)
    .where((eb) => eb.or(keys.map((key) => eb.and({ ...key }))))
    .execute();
}
