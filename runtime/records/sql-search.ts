import { type Kysely, sql } from 'kysely';
import { JOB_STATE_NAMES, type JobStateName } from '#protocols/job/states';
import type { JobRecord, QueueSummary } from './records.ts';
import { jobRecord } from './rows.ts';
import type { Schema } from './schema.ts';

/** All jobs with their objects. */
export function selectJobs(db: Kysely<Schema>) {
  return db
    .selectFrom('job_context')
    .innerJoin('object', (join) =>
      join
        .onRef('object.object_id', '=', 'job_context.object_id')
        .onRef('object.version', '=', 'job_context.version'),
    )
    .selectAll('job_context')
    .select(['object.bucket_name', 'object.object_name', 'object.payload_size']);
}

type Select = ReturnType<typeof selectJobs>;

/** Jobs that a text may mean, by the index of what it looks like. */
export async function searchJobs(
  db: Kysely<Schema>,
  text: string,
  limit: number,
): Promise<readonly JobRecord[]> {
  const found = new Map<string, JobRecord>();
  for (const narrow of readings(text)) {
    const left = limit - found.size;
    if (left <= 0) break;
    const rows = await narrow(selectJobs(db)).orderBy('job_context.created_at', 'desc').limit(left).execute();
    for (const row of rows) found.set(`${row.object_id}.${row.version}`, jobRecord(row));
  }
  return [...found.values()];
}

function readings(text: string): readonly ((select: Select) => Select)[] {
  const [, objectId, version] = /^([0-9]{1,78})(?:\.([0-9]{1,9}))?$/.exec(text) ?? [];
  const slash = text.indexOf('/');
  const spId = /^(?:sp *)?([0-9]{1,9})$/i.exec(text)?.[1];
  const states = statesLike(text);
  return [
    ...(objectId !== undefined ? [byId(objectId, version)] : []),
    ...(slash > 0 ? [byName(text.slice(0, slash), text.slice(slash + 1))] : []),
    ...(slash < 0 ? [byBucket(text), byFailure(text)] : []),
    ...(states.length > 0 ? [byState(states)] : []),
    ...(spId !== undefined ? [bySecondary(Number(spId))] : []),
  ];
}

function byId(objectId: string, version: string | undefined) {
  return (select: Select) => {
    const found = select.where('job_context.object_id', '=', objectId);
    return version === undefined ? found : found.where('job_context.version', '=', Number(version));
  };
}

/** @param name the object's, or how it begins */
function byName(bucket: string, name: string) {
  const pattern = `${name.replace(/[\\%_]/g, '\\$&')}%`;
  return (select: Select) =>
    select
      .where('object.bucket_name', '=', bucket)
      .where(sql<boolean>`object.object_name like ${pattern} escape '\\'`);
}

const byBucket = (bucket: string) => (select: Select) => select.where('object.bucket_name', '=', bucket);
const byFailure = (code: string) => (select: Select) => select.where('job_context.failure_code', '=', code);
const byState = (states: readonly JobStateName[]) => (select: Select) =>
  select.where('job_context.state', 'in', states);

function bySecondary(spId: number) {
  return (select: Select) =>
    select.where((eb) =>
      eb.exists(
        eb
          .selectFrom('secondary')
          .select('secondary.sp_id')
          .whereRef('secondary.object_id', '=', 'job_context.object_id')
          .whereRef('secondary.version', '=', 'job_context.version')
          .where('secondary.sp_id', '=', spId),
      ),
    );
}

/** The states whose name a text begins, for example `seal` or `SEAL_OBJECT_ERROR`. */
function statesLike(text: string): readonly JobStateName[] {
  const begin = text.toUpperCase().replaceAll(' ', '_');
  return begin.length < 4 ? [] : JOB_STATE_NAMES.filter((state) => state.startsWith(begin));
}

/** How many jobs stand in each of some states, and the oldest of them. */
export async function summarise(db: Kysely<Schema>, states: readonly JobStateName[]): Promise<QueueSummary> {
  const counts = await db
    .selectFrom('job_context')
    .select((eb) => ['state', eb.fn.countAll<number>().as('jobs'), eb.fn.min('created_at').as('oldest')])
    .where('state', 'in', states)
    .groupBy('state')
    .execute();
  const waiting = Object.fromEntries(counts.map(({ state, jobs }) => [state, Number(jobs)]));
  const [oldest] = counts.sort((a, b) => Number(a.oldest) - Number(b.oldest));
  if (!oldest) return { waiting };
  const row = await db
    .selectFrom('job_context')
    .select(['object_id', 'version', 'state', 'created_at'])
    .where('state', '=', oldest.state)
    .where('created_at', '=', Number(oldest.oldest))
    .limit(1)
    .executeTakeFirst();
  return {
    waiting,
    ...(row && {
      oldest: {
        job: { objectId: row.object_id, version: row.version },
        state: row.state,
        createdAt: row.created_at,
      },
    }),
  };
}
