import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { JobEvent } from '#protocols/job/events';
import type { JobId } from '#protocols/job/identity';
import type { Journal } from '../journal/journal.ts';
import { openLevelJournal } from '../journal/level-journal.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';
import { runProjector } from './projector.ts';
import { historyOf, receipt } from './records.contract.ts';
import type { Records } from './records.ts';
import { sqliteRecords } from './sqlite.ts';

const id: JobId = { objectId: '4711', version: 0 };

interface Setting {
  readonly journal: Journal;
  readonly records: Records;
  /** Starts a projector, which stops at the end of the test. @returns a function that stops it earlier */
  start(log?: Logger): () => Promise<void>;
}

async function setting(
  t: ExecutionContext,
  recordsFile = 'records.db',
): Promise<Setting & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-projector-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const journal = await openLevelJournal({ directory: join(folder, 'journal') });
  t.teardown(() => journal.close());
  const records = sqliteRecords(join(folder, recordsFile));
  t.teardown(() => records.close());
  return {
    folder,
    journal,
    records,
    start(log = silentLogger) {
      const end = new AbortController();
      const running = runProjector({ journal, records, log, signal: end.signal });
      const stop = async (): Promise<void> => {
        end.abort();
        await running;
      };
      t.teardown(stop);
      return stop;
    },
  };
}

async function append(journal: Journal, job: JobId, events: readonly JobEvent[], from = 1): Promise<void> {
  for (const [index, event] of events.entries()) await journal.append(job, from + index, event);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5);
}

/** A logger that keeps its messages. */
function listening(): { log: Logger; messages: string[] } {
  const messages: string[] = [];
  const keep = (_fields: object, message: string): void => {
    messages.push(message);
  };
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  return { log, messages };
}

test('the SQL DB receives existing and new events of the journal', async (t) => {
  const { journal, records, start } = await setting(t);
  const history = historyOf(id);
  await append(journal, id, history.slice(0, 3));
  start();
  await until(async () => (await records.job(id))?.state === 'UPLOAD_OBJECT_DONE');
  await append(journal, id, history.slice(3), 4);
  await until(async () => (await records.position()) === history.length);
  t.is((await records.job(id))?.state, 'REPLICATE_OBJECT_DOING');
});

test('each secondary has the time of its receipt', async (t) => {
  const { journal, records, start } = await setting(t);
  const history = historyOf(id);
  const at = (history.at(-1)?.at ?? 0) + 500;
  await append(journal, id, [...history, { type: 'SecondaryCompleted', at, receipt: receipt(3) }]);
  start();
  await until(async () => (await records.position()) === history.length + 1);
  const times = (await records.secondaries(id)).map(({ completedAt }) => completedAt);
  t.deepEqual(times, [at - 500, undefined, undefined, at, undefined, undefined]);
});

test('jobs beyond one batch are all projected', async (t) => {
  const { journal, records, start } = await setting(t);
  const ids = Array.from({ length: 100 }, (_, index) => ({ objectId: String(index + 1), version: 0 }));
  await Promise.all(ids.map((one) => append(journal, one, historyOf(one))));
  start();
  await until(async () => (await records.position()) === 700);
  t.is((await records.jobs({ limit: 1000, states: ['REPLICATE_OBJECT_DOING'] })).length, 100);
});

test('a restarted projector continues where it stopped', async (t) => {
  const { journal, records, start } = await setting(t);
  const history = historyOf(id);
  await append(journal, id, history.slice(0, 3));
  const stop = start();
  await until(async () => (await records.position()) === 3);
  await stop();
  await append(journal, id, history.slice(3), 4);
  t.is(await records.position(), 3);
  start();
  await until(async () => (await records.position()) === history.length);
  t.is((await records.job(id))?.state, 'REPLICATE_OBJECT_DOING');
});

test('the SQL DB of another journal is rebuilt', async (t) => {
  const { folder, journal, records, start } = await setting(t);
  const [lost, kept] = [id, { objectId: '13', version: 0 }];
  await append(journal, lost, historyOf(lost));
  const stop = start();
  await until(async () => (await records.job(lost)) !== undefined);
  await stop();
  // The next journal has fewer events than the position in the SQL DB.
  const next = await openLevelJournal({ directory: join(folder, 'next') });
  t.teardown(() => next.close());
  await append(next, kept, historyOf(kept).slice(0, 2));
  const end = new AbortController();
  const running = runProjector({ journal: next, records, log: silentLogger, signal: end.signal });
  await until(async () => (await records.job(kept)) !== undefined);
  t.is(await records.job(lost), undefined);
  end.abort();
  await running;
});

test('the journal keeps working while the SQL DB is down, which then catches up', async (t) => {
  const { folder, journal, records, start } = await setting(t, 'place/records.db');
  const { log, messages } = listening();
  await writeFile(join(folder, 'place'), 'a file where the folder should be');
  start(log);
  await append(journal, id, historyOf(id));
  await until(async () => messages.includes('cannot update the SQL DB from the journal; trying again'));
  await rm(join(folder, 'place'));
  await until(async () => messages.includes('the SQL DB is being updated from the journal again'));
  await until(async () => (await records.position()) === historyOf(id).length);
  t.is((await records.job(id))?.state, 'REPLICATE_OBJECT_DOING');
});

test('the projector stops at once even while the SQL DB is down', async (t) => {
  const { folder, start } = await setting(t, 'place/records.db');
  const { log, messages } = listening();
  await writeFile(join(folder, 'place'), 'a file where the folder should be');
  const stop = start(log);
  await until(async () => messages.length > 3);
  await t.notThrowsAsync(stop());
});

test('a job with a broken history is skipped, and delays no other', async (t) => {
  const { journal, records, start } = await setting(t);
  const { log, messages } = listening();
  const broken = { objectId: '13', version: 0 };
  await journal.append(broken, 1, { type: 'ReplicationStarted', at: 1 });
  await append(journal, id, historyOf(id));
  start(log);
  await until(async () => (await records.position()) === historyOf(id).length + 1);
  t.is(await records.job(broken), undefined);
  t.is((await records.job(id))?.state, 'REPLICATE_OBJECT_DOING');
  t.deepEqual(messages, ['could not project a job into the SQL DB; skipped it']);
});

test('a closed journal does not fail the projector', async (t) => {
  const { journal, records, start } = await setting(t);
  const { log, messages } = listening();
  const stop = start(log);
  await append(journal, id, historyOf(id));
  await until(async () => (await records.position()) === historyOf(id).length);
  await journal.close();
  await until(async () => messages.includes('cannot update the SQL DB from the journal; trying again'));
  await t.notThrowsAsync(stop());
});
