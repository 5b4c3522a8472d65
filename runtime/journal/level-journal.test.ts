import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { journalContract } from './journal.contract.ts';
import { openLevelJournal } from './level-journal.ts';
import { LevelStore } from './level-store.ts';

async function newDirectory(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-journal-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

journalContract('level', async (t) => {
  const directory = await newDirectory(t);
  let journal = await openLevelJournal({ directory });
  t.teardown(() => journal.close());
  const successor = async () => {
    await journal.close();
    journal = await openLevelJournal({ directory });
    return journal;
  };
  return { journal, successor };
});

test('opening a journal twice is refused with the reason and harms nothing', async (t) => {
  const directory = await newDirectory(t);
  const journal = await openLevelJournal({ directory });
  await t.throwsAsync(openLevelJournal({ directory }), { name: 'Retryable', code: 'journal-locked' });
  await journal.append({ objectId: '1', version: 0 }, 1, {
    type: 'UploadStarted',
    at: 1,
    attempt: 1,
    deadlineAt: 1,
  });
  await journal.close();
  await (await openLevelJournal({ directory })).close();
});

test('an unusable directory is a clear error', async (t) => {
  const file = join(await newDirectory(t), 'file');
  await writeFile(file, '');
  await t.throwsAsync(openLevelJournal({ directory: file }), { code: 'journal-unavailable' });
});

test('acknowledged writes survive a kill of the process', async (t) => {
  const directory = await newDirectory(t);
  const writer = fork(new URL('./level-journal.child.js', import.meta.url), [directory]);
  t.teardown(() => writer.kill('SIGKILL'));
  const acknowledged = new Map<string, number>();
  let count = 0;
  writer.on('message', ({ objectId, n }: { objectId: string; n: number }) => {
    acknowledged.set(objectId, n);
    if (++count === 400) writer.kill('SIGKILL');
  });
  await once(writer, 'close');

  const journal = await openLevelJournal({ directory });
  t.teardown(() => journal.close());
  t.is(acknowledged.size, 8);
  for (const [objectId, n] of acknowledged) {
    const events = await journal.read({ objectId, version: 0 });
    t.true(events.length >= n, `job ${objectId}: ${events.length} of ${n}`);
    t.true(events.every((stored, i) => stored.n === i + 1));
  }
  await journal.append({ objectId: '99', version: 0 }, 1, {
    type: 'UploadStarted',
    at: 1,
    attempt: 1,
    deadlineAt: 1,
  });
  const owner = new AbortController();
  const tailed = new Set<string>();
  for await (const event of journal.tail(0, { signal: owner.signal })) {
    tailed.add(event.job.objectId);
    if (event.job.objectId === '99') owner.abort();
  }
  t.is(tailed.size, 9, 'new events come after those from before the crash');
});

test('a journal from an older release gets its identity and index, once', async (t) => {
  const directory = await newDirectory(t);
  const job = (objectId: string) => ({ objectId, version: 0 });
  const first = await openLevelJournal({ directory });
  await first.append(job('1'), 1, { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 1 });
  await first.append(job('2'), 1, { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 1 });
  await first.append(job('2'), 2, { type: 'SealCompleted', at: 2 });
  await first.close();
  const store = await LevelStore.open(directory);
  for (const name of ['open', 'ended', 'job-index', 'identity']) {
    const table = store.table(name);
    for await (const [key] of store.scan(table, {})) {
      await store.write([{ type: 'del', sublevel: table, key }]);
    }
  }
  await store.close();

  const later = await openLevelJournal({ directory });
  t.not(later.id, first.id);
  const ids = async (jobs: AsyncIterable<{ objectId: string }>) => {
    const found: string[] = [];
    for await (const { objectId } of jobs) found.push(objectId);
    return found;
  };
  t.deepEqual(await ids(later.openJobs()), ['1']);
  t.deepEqual(await ids(later.endedJobs(3)), ['2']);
  await later.close();
  const again = await openLevelJournal({ directory });
  t.teardown(() => again.close());
  t.is(again.id, later.id);
});

test('two journals have different identities', async (t) => {
  const [one, other] = await Promise.all(
    [1, 2].map(async () => openLevelJournal({ directory: await newDirectory(t) })),
  );
  t.not(one?.id, other?.id);
  await Promise.all([one?.close(), other?.close()]);
});
