import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import { Terminal } from '#protocols/errors';
import type { JobObject } from '#protocols/job/context';
import { fencedJournal } from '../journal/fenced-journal.ts';
import { openLevelJournal } from '../journal/level-journal.ts';
import { connectNats } from '../nats/connect.ts';
import { patient } from '../nats/patient.ts';
import { startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { natsDirectory } from './nats-directory.ts';
import { succeed, succeedingDirectory } from './succession.ts';

const job = { objectId: '1', version: 0 };
const object: JobObject = {
  bucketName: 'b',
  objectName: 'o',
  owner: '0x',
  contentType: '',
  payloadSize: 1,
  redundancy: 'EC',
  checksums: [],
  maxSegmentSize: 16,
  dataChunks: 4,
  parityChunks: 2,
  familyId: 1,
  primarySpId: 1,
  createdAt: 1,
  isUpdate: false,
};

test('only the newest node writes to its journal', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const directory = await mkdtemp(join(tmpdir(), 'sealion-succession-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const level = await openLevelJournal({ directory });
  t.teardown(() => level.close());

  const first = await succeed({ connection, node: 'sp-1@a', journal: 'j', freshMs: 0 });
  const journal = fencedJournal(level, () => first.check());
  await journal.append(job, 1, { type: 'JobCreated', at: 1, id: job, object, deadlineAt: 2 });
  const second = await succeed({ connection, node: 'sp-1@b', journal: 'k', freshMs: 0 });

  const error = await t.throwsAsync<Terminal>(
    journal.append(job, 2, { type: 'UploadStarted', at: 2, attempt: 1, deadlineAt: 3 }),
    { instanceOf: Terminal },
  );
  t.is(error?.code, 'journal-fenced');
  t.regex(error?.message ?? '', /sp-1@b/);
  t.is((await journal.read(job)).length, 1);
  await t.notThrowsAsync(second.check());
});

test('the newest node stays the newest when the stream that records it is lost', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const first = await succeed({ connection, node: 'sp-1@a', journal: 'j', freshMs: 0 });
  const second = await succeed({ connection, node: 'sp-1@b', journal: 'k', freshMs: 0 });
  await t.throwsAsync(first.check(), { code: 'journal-fenced' });
  const manager = await jetstreamManager(patient(connection));
  await manager.streams.delete('NODES');
  await first.restore();
  await second.restore();
  await second.check();
  await t.throwsAsync(first.check(), { code: 'journal-fenced' });

  // One that has slept through it comes too late.
  const third = await succeed({ connection, node: 'sp-1@c', journal: 'l', freshMs: 0 });
  await manager.streams.delete('NODES');
  await third.restore();
  await second.restore();
  await third.check();
  await t.throwsAsync(second.check(), { code: 'journal-fenced' });
});

test('the answer is cached for a while, so that not every event asks', async (t) => {
  const server = await startNatsServer();
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  const only = await succeed({ connection, node: 'sp-1@a', journal: 'j', freshMs: 3_600_000 });
  await connection.close();
  await server.stop();
  await t.notThrowsAsync(only.check());
});

test('a silent owner blocks older nodes but not the newest', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  connection.subscribe('object.1.0', { callback: () => undefined });
  const nodes = [];
  for (const node of ['sp-1@a', 'sp-1@b']) {
    const succession = await succeed({ connection, node, journal: node, freshMs: 0 });
    nodes.push(succeedingDirectory(natsDirectory(connection, silentLogger), succession));
  }
  t.is(await nodes[1]?.find(job), undefined);
  const error = await t.throwsAsync<Terminal>(nodes[0]?.find(job) ?? Promise.resolve(), {
    instanceOf: Terminal,
  });
  t.is(error?.code, 'journal-fenced');
});

test('a start continues the previous one when no other node has started for an hour', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const continues = async (node: string, journal: string) =>
    (await succeed({ connection, node, journal, freshMs: 0 })).continues;
  const anHourPasses = async () => {
    const manager = await jetstreamManager(patient(connection));
    const start = (await manager.streams.getMessage('NODES', { last_by_subj: 'node.started' }))?.json() as {
      aloneSince: number;
    };
    const aloneSince = start.aloneSince - 3_600_000;
    await jetstream(patient(connection)).publish('node.started', JSON.stringify({ ...start, aloneSince }));
  };
  t.false(await continues('a', 'j'), 'the first of all');
  t.true(await continues('a', 'j'));
  t.true(await continues('a', 'j'));
  t.false(await continues('a', 'another journal'));
  t.false(await continues('a', 'another journal'));
  await anHourPasses();
  t.true(await continues('a', 'another journal'));
  t.false(await continues('b', 'another journal'), 'a copy of the data folder');
  t.false(await continues('a', 'another journal'));
  t.false(await continues('a', 'another journal'), 'b may be alive');

  await jetstream(patient(connection)).publish(
    'node.started',
    JSON.stringify({ node: 'a', at: 'of an older release' }),
  );
  t.false(await continues('a', 'another journal'));
});
