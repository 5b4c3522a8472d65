import { randomUUID } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import test, { type ExecutionContext } from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { connectNats } from '../../nats/connect.ts';
import { patient } from '../../nats/patient.ts';
import { type NatsServer, startNatsServer } from '../../nats/server.ts';
import { silentLogger } from '../../telemetry/logger.ts';
import { startCuttingProxy } from '../../testing/cutting-proxy.ts';
import type { Journal } from '../journal.ts';
import { openJetStreamJournal } from './jetstream-journal.ts';
import { eventSubject, ledgerSubject, parseLedgerSubject } from './subjects.ts';

const FENCED = { name: 'Terminal', code: 'journal-fenced' };
let server: NatsServer;
let lastJob = 0;

test.before(async () => {
  server = await startNatsServer();
});
test.after.always(() => server?.stop());

/** Opens the journal as one of several nodes. */
async function node(t: ExecutionContext, url = server.url): Promise<Journal> {
  const connection = await connectNats({ url, name: randomUUID(), log: silentLogger });
  t.teardown(() => connection.close());
  const journal = await openJetStreamJournal({ connection });
  t.teardown(() => journal.close());
  return journal;
}

function newJob() {
  lastJob += 1;
  return { objectId: String(lastJob), version: 0 };
}

const started = (attempt: number): JobEvent => ({ type: 'UploadStarted', at: 1, attempt, deadlineAt: 1 });
const sealed: JobEvent = { type: 'SealCompleted', at: 5 };
const partly: JobEvent = { type: 'SegmentDiscarded', at: 9, segmentIndex: 0 };

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

test('of the nodes that write one event, one succeeds and the others are fenced', async (t) => {
  const nodes = await Promise.all([node(t), node(t), node(t), node(t)]);
  const jobs = Array.from({ length: 20 }, newJob);
  for (const job of jobs) {
    const results = await Promise.allSettled(nodes.map((one) => one.append(job, 1, started(1))));
    t.is(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of results) if (result.status === 'rejected') t.like(result.reason, FENCED);
    t.is((await (nodes[0] as Journal).read(job)).length, 1);
  }
});

test('a node that has been overtaken is fenced, and reads what the other wrote', async (t) => {
  const [first, second] = await Promise.all([node(t), node(t)]);
  const job = newJob();
  await first.append(job, 1, started(1));
  t.is((await second.read(job)).length, 1);
  await second.append(job, 2, started(2));
  await t.throwsAsync(first.append(job, 2, started(3)), FENCED);
  t.is((await first.read(job)).at(-1)?.writer, second.writer);
  await first.append(job, 3, started(3));
  t.is((await second.read(job)).length, 3);
});

test('a job that one node has purged is gone for the others, and fences them', async (t) => {
  const [first, second] = await Promise.all([node(t), node(t)]);
  const job = newJob();
  await first.append(job, 1, started(1));
  await first.append(job, 2, sealed);
  t.is((await second.read(job)).length, 2);
  await second.purge(job, 1);
  t.is((await second.read(job)).length, 2, 'it has a newer event');
  await second.purge(job, 2);
  await t.throwsAsync(first.append(job, 3, partly), FENCED);
  t.deepEqual(await first.read(job), []);
  await first.append(job, 1, started(1));
  t.is((await second.read(job)).length, 1, 'it may begin again');
});

test('an event that is written after its job was purged is taken back', async (t) => {
  const [first, second] = await Promise.all([node(t), node(t)]);
  const job = newJob();
  await first.append(job, 1, started(1));
  await first.append(job, 2, sealed);
  let isPurged = false;
  const proxy = await startCuttingProxy(server.port, ({ from, line }) => {
    // the check before the write has been made, and the write has been sent
    if (from === 'client' && line.startsWith(`HPUB ${eventSubject(job, 3)} `) && !isPurged) {
      isPurged = true;
      void second.purge(job, 2);
      return true;
    }
    return false;
  });
  t.teardown(() => proxy.close());
  const slow = await node(t, proxy.url);
  await t.throwsAsync(slow.append(job, 3, partly), FENCED);
  t.true(isPurged);
  await second.purge(job, 2);
  t.deepEqual(await second.read(job), []);
  const manager = await jetstreamManager(patient(await connection(t)));
  t.is(await manager.direct.getMessage('JOURNAL', { last_by_subj: eventSubject(job, 3) }), null);
});

test('a write whose acknowledgement is lost is repeated, and is written once', async (t) => {
  const job = newJob();
  let isSent = false;
  const proxy = await startCuttingProxy(server.port, ({ from, line }) => {
    if (from === 'client') isSent ||= line.startsWith(`HPUB ${eventSubject(job, 1)} `);
    return from === 'server' && isSent && proxy.cuts === 0;
  });
  t.teardown(() => proxy.close());
  const journal = await node(t, proxy.url);
  await journal.append(job, 1, started(1));
  t.is(proxy.cuts, 1);
  t.is((await journal.read(job)).length, 1);
});

test('a job is among the open ones from before its first event until after its last one', async (t) => {
  const job = newJob();
  const journal = await node(t);
  const isListed = async () =>
    (await collect(journal.openJobs())).some(({ objectId }) => objectId === job.objectId);
  await journal.append(job, 1, started(1));
  t.true(await isListed());
  // the state after a writer was killed between the event and the index
  const message = JSON.stringify({ writer: journal.writer, event: sealed });
  await jetstream(patient(await connection(t))).publish(eventSubject(job, 2), message);
  t.true(await isListed());
  await journal.purge(job, 2);
  t.false(await isListed());
});

test('the rest of an interrupted purge is deleted by the next one', async (t) => {
  const job = newJob();
  const journal = await node(t);
  await journal.append(job, 1, started(1));
  await journal.append(job, 2, sealed);
  const manager = await jetstreamManager(patient(await connection(t)));
  await manager.streams.purge('JOURNAL', { filter: eventSubject(job, 1) });
  const later = await node(t);
  t.deepEqual(await later.read(job), []);
  await later.purge(job, 0);
  await later.append(job, 1, started(1));
  await later.append(job, 2, started(2));
  t.is((await journal.read(job)).length, 2);
});

test('acknowledged events survive a kill of the server, and writers and readers go on', async (t) => {
  const one = await startNatsServer({ storeDir: `${server.storeDir}-killed` });
  const journal = await node(t, one.url);
  const jobs = Array.from({ length: 20 }, newJob);
  const stop = new AbortController();
  const tailed = new Map<string, number>();
  const isSeen = (async () => {
    for await (const { job, n } of journal.tail(0, { signal: stop.signal })) {
      tailed.set(job.objectId, n);
      if (jobs.every(({ objectId }) => tailed.get(objectId) === 15)) return;
    }
  })();
  const write = async (from: number, to: number) => {
    await Promise.all(
      jobs.map(async (job) => {
        for (let n = from; n <= to; n++) await journal.append(job, n, started(n));
      }),
    );
  };
  await write(1, 5);
  const [, again] = await Promise.all([
    write(6, 15),
    one.kill().then(() => startNatsServer({ storeDir: one.storeDir, port: one.port })),
  ]);
  t.teardown(() => again.stop());
  await isSeen;
  const later = await node(t, again.url);
  for (const job of jobs) t.is((await later.read(job)).length, 15);
});

test('a server that has lost its events is waited for, and is written nothing', async (t) => {
  const one = await startNatsServer();
  t.teardown(() => one.stop());
  const journal = await node(t, one.url);
  const job = newJob();
  for (let n = 1; n <= 3; n++) await journal.append(job, n, started(n));
  const manager = await jetstreamManager(patient(await connection(t, one.url)));
  await manager.streams.delete('JOURNAL');
  const other = await node(t, one.url);
  t.not(other.id, journal.id);
  await t.throwsAsync(journal.read(job), { name: 'Retryable', code: 'journal-unavailable' });
  await t.throwsAsync(journal.append(job, 4, started(4)), {
    name: 'Retryable',
    code: 'journal-unavailable',
  });
  t.is(await manager.direct.getMessage('JOURNAL', { last_by_subj: eventSubject(job, 4) }), null);
});

test('a stream of the same name that is not ours is refused', async (t) => {
  const one = await startNatsServer();
  t.teardown(() => one.stop());
  const manager = await jetstreamManager(patient(await connection(t, one.url)));
  await manager.streams.add({ name: 'JOURNAL', subjects: ['other'] });
  await t.throwsAsync(node(t, one.url), { name: 'Terminal', code: 'stream-unfit' });
});

test('every key of the ledger has a subject of its own', (t) => {
  const keys = [
    'a/1',
    'a',
    'a/',
    '/a',
    '',
    '/',
    'a//b',
    'a.b/c d',
    'x=41',
    'a*/>',
    '4711.0/3',
    'ü/\u{10fffe}',
    'A',
  ];
  t.deepEqual(
    keys.map((key) => parseLedgerSubject(ledgerSubject(key))),
    keys,
  );
  for (const key of keys) t.regex(ledgerSubject(key), /^ledger(\.[A-Za-z0-9_=-]+)+$/);
  t.is(new Set(keys.map(ledgerSubject)).size, keys.length);
});

async function connection(t: ExecutionContext, url = server.url) {
  const opened = await connectNats({ url, name: randomUUID(), log: silentLogger });
  t.teardown(() => opened.close());
  return opened;
}
