import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { replay } from '#protocols/job/evolve';
import type { JobId } from '#protocols/job/identity';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { historyOf } from '#runtime/records/records.contract';
import { sqliteRecords } from '#runtime/records/sqlite';
import { silentLogger } from '#runtime/telemetry/logger';
import { retentionRound } from './retention-round.ts';

const signal = new AbortController().signal;

test('the journal drops a job only long after its end, and once it is in the SQL DB', async (t) => {
  const directory = await mkdtemp(path.join(tmpdir(), 'sealion-retention-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const journal = await openLevelJournal({ directory: path.join(directory, 'journal') });
  t.teardown(() => journal.close());
  const records = sqliteRecords(path.join(directory, 'records.sqlite'));
  t.teardown(() => records.close());

  const HOUR = 3_600_000;
  const jobs = {
    old: { objectId: '1', version: 0 },
    unprojected: { objectId: '2', version: 0 },
    running: { objectId: '3', version: 0 },
    recent: { objectId: '4', version: 0 },
  };
  const write = async (job: JobId, endedAt: number, options: { ended?: boolean; projected?: boolean }) => {
    const { ended = true, projected = true } = options;
    const end = { type: 'Discontinued', at: endedAt, reason: 'gone' } as const;
    const history = historyOf(job, endedAt - HOUR);
    const events = ended ? [...history, end] : history;
    for (const [i, event] of events.entries()) await journal.append(job, i + 1, event);
    const context = replay(events);
    if (context && projected) await records.project({ jobs: [{ context, completedAt: {} }], position: 1 });
  };
  await write(jobs.old, Date.now() - 2 * HOUR, {});
  await write(jobs.unprojected, Date.now() - 2 * HOUR, { projected: false });
  await write(jobs.running, Date.now() - 2 * HOUR, { ended: false });
  await write(jobs.recent, Date.now(), {});

  const timing = { retentionEveryMs: 1, retentionMs: HOUR };
  const round = retentionRound({ journal, records, timing }, silentLogger);
  t.regex((await round.run(signal)) ?? '', /^removed 1 jobs/);
  t.is((await journal.read(jobs.old)).length, 0);
  for (const job of [jobs.unprojected, jobs.running, jobs.recent])
    t.true((await journal.read(job)).length > 0);
  t.is(await round.run(signal), undefined);
});
