import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openLevelJournal } from '../../runtime/journal/level-journal.ts';
import { sqliteRecords } from '../../runtime/records/sqlite.ts';
import { serveAdmin } from './admin.ts';

const JOB = { objectId: '4711', version: 0 };
const CREATED = {
  type: 'JobCreated',
  at: 1_000,
  id: JOB,
  deadlineAt: 2_000,
  object: {
    bucketName: 'photos',
    objectName: 'a.jpg',
    owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
    contentType: 'image/jpeg',
    payloadSize: 10,
    redundancy: 'EC',
    checksums: [],
    maxSegmentSize: 16,
    dataChunks: 4,
    parityChunks: 2,
    familyId: 1,
    primarySpId: 1,
    createdAt: 1,
    isUpdate: false,
  },
} as const;

test('operators see health, tree, jobs and the history of one job', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-admin-'));
  const journal = await openLevelJournal({ directory: join(folder, 'journal') });
  const records = sqliteRecords(join(folder, 'records.sqlite'));
  const admin = await serveAdmin(
    {
      node: 'sp-1@a',
      spId: 1,
      durability: 'crash-safe',
      journal,
      records,
      tree: () => ({
        name: 'sp-1@a',
        path: 'sp-1@a',
        kind: 'system',
        status: 'running',
        restarts: 0,
        mailbox: 0,
        children: [],
      }),
    },
    { host: '127.0.0.1', port: 0 },
  );
  t.teardown(async () => {
    await admin.close();
    await records.close();
    await journal.close();
    await rm(folder, { recursive: true });
  });
  await journal.append(JOB, 1, CREATED);

  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${admin.port}${path}`, { method });
    return { status: response.status, body: await response.json() };
  };
  t.like(await ask('/health'), {
    status: 200,
    body: { status: 'serving', node: 'sp-1@a', durability: 'crash-safe' },
  });
  t.like(await ask('/tree'), { status: 200, body: { kind: 'system' } });
  t.deepEqual(await ask('/jobs'), { status: 200, body: [] });
  t.like(await ask('/jobs/4711.0'), {
    status: 200,
    body: { context: { id: JOB, state: 'INIT_UNSPECIFIED' }, events: [CREATED] },
  });
  t.like(await ask('/jobs/4712.0'), { status: 404, body: { code: 'not-found' } });
  t.like(await ask('/jobs/4711'), { status: 400, body: { code: 'bad-job-id' } });
  t.like(await ask('/nowhere'), { status: 404 });
  t.like(await ask('/health', 'POST'), { status: 405 });
  await t.throwsAsync(
    serveAdmin({} as Parameters<typeof serveAdmin>[0], { host: '127.0.0.1', port: admin.port }),
    { code: 'cannot-listen' },
  );
});
