import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import type { JobObject } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import type { JobId } from '#protocols/job/identity';
import { openJobQueue } from '#runtime/jobs/nats-job-queue';
import { fencedJournal } from '#runtime/journal/fenced-journal';
import type { Journal } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { connectNats } from '#runtime/nats/connect';
import { startNatsServer } from '#runtime/nats/server';
import { silentLogger } from '#runtime/telemetry/logger';
import { jobRound } from './job-round.ts';

const OBJECT: JobObject = {
  bucketName: 'bucket',
  objectName: 'object',
  owner: '0x',
  contentType: '',
  payloadSize: 11,
  redundancy: 'EC',
  checksums: [],
  maxSegmentSize: 1024,
  dataChunks: 4,
  parityChunks: 2,
  familyId: 1,
  primarySpId: 1,
  createdAt: 0,
  isUpdate: false,
};
const failure = { code: 'x', message: 'x', attempt: 1, resume: 'UPLOAD_OBJECT_DOING' } as const;
const started: JobEvent = { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 1 };
const completed: JobEvent = { type: 'UploadCompleted', at: 2, segmentChecksums: [], integrityHash: '' };
const signal = new AbortController().signal;

/** Jobs with their events after the creation, and whether they belong in the queue. */
const JOBS: readonly { id: string; events: readonly JobEvent[]; belongs: boolean }[] = [
  { id: '1', events: [], belongs: false },
  { id: '2', events: [started], belongs: false },
  { id: '3', events: [started, completed], belongs: true },
  { id: '4', events: [started, { type: 'UploadFailed', at: 2, failure }], belongs: false },
  { id: '5', events: [started, completed, { type: 'AllocationStarted', at: 3 }], belongs: true },
  { id: '6', events: [started, completed, { type: 'SealCompleted', at: 3 }], belongs: false },
  { id: '7', events: [started, completed, { type: 'Discontinued', at: 3, reason: '' }], belongs: false },
];

test('each acknowledged job that is still open gets exactly one queue entry', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'a', log: silentLogger });
  t.teardown(() => connection.close());
  const directory = await mkdtemp(path.join(tmpdir(), 'sealion-jobs-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const journal = await openLevelJournal({ directory });
  t.teardown(() => journal.close());
  const queue = await openJobQueue({ connection, log: silentLogger });
  const jobOf = (objectId: string): JobId => ({ objectId, version: 0 });
  for (const { id, events } of JOBS) {
    const created: JobEvent = { type: 'JobCreated', at: 0, id: jobOf(id), object: OBJECT, deadlineAt: 0 };
    for (const [i, event] of [created, ...events].entries()) await journal.append(jobOf(id), i + 1, event);
  }
  await journal.append(jobOf('8'), 1, started);
  await queue.enqueue(jobOf('5'));

  const asked = new Set<string>();
  const watched: Journal = {
    ...fencedJournal(journal, async () => undefined),
    read(job, options) {
      asked.add(job.objectId);
      return journal.read(job, options);
    },
  };
  const round = jobRound({ journal: watched, queue, timing: { jobsEveryMs: 1 } }, silentLogger);
  t.regex((await round.run(signal)) ?? '', /^queued 1 open jobs/);
  for (const { id, belongs } of JOBS) t.is(await queue.has(jobOf(id)), belongs, `job ${id}`);
  t.is(await round.run(signal), undefined);
  t.deepEqual([...asked].sort(), ['1', '2', '3', '4', '5', '8'], 'jobs that have ended are not read');

  for await (const lease of queue.leases({ limit: 2, signal })) {
    if (lease.job.objectId !== '3') continue;
    t.is(await round.run(signal), undefined, 'a leased job needs no entry');
    await lease.done();
    t.regex((await round.run(signal)) ?? '', /^queued 1 open jobs/, 'an entry that was lost is made again');
    break;
  }

  const again: JobEvent = { ...started, attempt: 2, object: { ...OBJECT, createdAt: 5 } };
  await journal.append(jobOf('7'), 5, again);
  await journal.append(jobOf('7'), 6, completed);
  t.regex((await round.run(signal)) ?? '', /^queued 1 open jobs/, 'another life of a job that was over');
});
