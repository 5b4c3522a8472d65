import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { connectNats } from '../../nats/connect.ts';
import { startNatsServer } from '../../nats/server.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { openLevelJournal } from '../level-journal.ts';
import { openJetStreamJournal } from './jetstream-journal.ts';
import { moveJournal } from './move.ts';

const started = (attempt: number): JobEvent => ({ type: 'UploadStarted', at: 1, attempt, deadlineAt: 1 });

async function newLevel(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-move-'));
  const journal = await openLevelJournal({ directory });
  t.teardown(async () => {
    await journal.close();
    await rm(directory, { recursive: true });
  });
  return journal;
}

async function newPlane(t: ExecutionContext) {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: randomUUID(), log: silentLogger });
  t.teardown(() => connection.close());
  return connection;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

test('a moved journal has the same jobs, open and ended, and the same ledger', async (t) => {
  const [from, connection] = await Promise.all([newLevel(t), newPlane(t)]);
  const jobs = Array.from({ length: 300 }, (_, i) => ({ objectId: String(i + 1), version: i % 2 }));
  await Promise.all(
    jobs.map(async (job, i) => {
      await from.append(job, 1, started(1));
      if (i % 3 === 0) await from.append(job, 2, { type: 'SealCompleted', at: i });
      await from.ledger.put(`column/${job.objectId}.0/1`, { i });
    }),
  );
  const moved = await moveJournal({ from, connection, replicas: 1 });
  t.deepEqual(moved, { openJobs: 200, endedJobs: 100, events: 400, ledgerEntries: 300 });
  const to = await openJetStreamJournal({ connection });
  for (const job of jobs) t.deepEqual(await to.read(job), await from.read(job));
  const ids = (found: readonly { objectId: string }[]) => found.map(({ objectId }) => objectId).sort();
  t.deepEqual(ids(await collect(to.openJobs())), ids(await collect(from.openJobs())));
  for (const before of [0, 100, 1_000]) {
    t.deepEqual(ids(await collect(to.endedJobs(before))), ids(await collect(from.endedJobs(before))));
  }
  t.deepEqual(await collect(to.ledger.entries('column/')), await collect(from.ledger.entries('column/')));
  await to.append({ objectId: '2', version: 1 }, 2, started(2));
  await t.throwsAsync(to.append({ objectId: '1', version: 0 }, 1, started(9)), { code: 'journal-fenced' });
});

test('an interrupted move continues, and nothing is moved to where another journal is', async (t) => {
  const [from, connection] = await Promise.all([newLevel(t), newPlane(t)]);
  for (let i = 1; i <= 20; i++) await from.append({ objectId: String(i), version: 0 }, 1, started(1));
  const owner = new AbortController();
  const half = new Proxy(from, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'read') {
        return async (job: { readonly objectId: string; readonly version: number }) => {
          if (job.objectId === '15') owner.abort();
          return await target.read(job);
        };
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await t.throwsAsync(moveJournal({ from: half, connection, replicas: 1, signal: owner.signal }), {
    name: 'Cancelled',
  });
  t.is((await moveJournal({ from, connection, replicas: 1 })).events, 20);
  await t.throwsAsync(moveJournal({ from, connection, replicas: 1 }), { code: 'journal-in-use' });
  await t.throwsAsync(moveJournal({ from: await newLevel(t), connection, replicas: 1 }), {
    code: 'journal-in-use',
  });
});
