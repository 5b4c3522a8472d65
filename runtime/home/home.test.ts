import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import { Retryable } from '#protocols/errors';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import type { JobAnnouncement } from './home.ts';
import { natsDirectory } from './nats-directory.ts';
import { natsJobFeed } from './nats-job-feed.ts';

let server: NatsServer;
test.before(async () => {
  server = await startNatsServer();
});
test.after.always(() => server?.stop());

async function node(t: ExecutionContext): Promise<NatsConnection> {
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  return connection;
}

test('the owner of a job answers until the job is released', async (t) => {
  const [a, b] = [natsDirectory(await node(t), silentLogger), natsDirectory(await node(t), silentLogger)];
  const job = { objectId: '1', version: 0 };
  t.is(await b.find(job), undefined);
  const answer = { node: 'a', state: 'UPLOAD_OBJECT_DOING', since: 5 } as const;
  const entry = await a.own(job, () => answer);
  t.deepEqual(await b.find(job), answer);
  t.is(await b.find({ objectId: '1', version: 1 }), undefined);
  await entry.release();
  t.is(await b.find(job), undefined);
});

test('an owner that is asked while it releases its job is not taken for silent', async (t) => {
  const [a, b] = [natsDirectory(await node(t), silentLogger), natsDirectory(await node(t), silentLogger)];
  const job = { objectId: '3', version: 0 };
  const answer = { node: 'a', state: 'UPLOAD_OBJECT_DOING', since: 5 } as const;
  for (let round = 0; round < 20; round += 1) {
    const entry = await a.own(job, () => answer);
    const found = Promise.all([b.find(job), b.find(job)]);
    await Promise.all([found, entry.release()]);
    for (const owner of await found) t.true(owner === undefined || owner.node === 'a');
  }
});

test('an owner that is there but silent is distinguished from none', async (t) => {
  const mute = await node(t);
  mute.subscribe('object.2.0', { callback: () => undefined });
  await mute.flush();
  const error = await t.throwsAsync<Retryable>(
    natsDirectory(await node(t), silentLogger).find({ objectId: '2', version: 0 }),
    {
      instanceOf: Retryable,
    },
  );
  t.is(error?.code, 'owner-silent');
});

test('a watcher of a job receives its events, in order, until the signal fires', async (t) => {
  const [a, b] = [natsJobFeed(await node(t), silentLogger), natsJobFeed(await node(t), silentLogger)];
  const job = { objectId: '3', version: 2 };
  const stop = new AbortController();
  const heard: JobAnnouncement[] = [];
  const watching = (async () => {
    for await (const one of b.watch({ job, signal: stop.signal })) {
      heard.push(one);
      if (one.at === 2) stop.abort();
    }
  })();
  const first = { job, state: 'UPLOAD_OBJECT_DOING', at: 0, node: 'a' } as const;
  const told = [
    { job, state: 'UPLOAD_OBJECT_DOING', at: 1, node: 'a' },
    { job, state: 'REPLICATE_OBJECT_DOING', at: 2, node: 'a', secondary: { spId: 4, redundancyIndex: 1 } },
  ] as const;
  while (heard.length === 0) {
    a.announce(first);
    await sleep(20);
  }
  a.announce({ ...told[0], job: { objectId: '9', version: 2 } });
  for (const one of told) a.announce(one);
  await watching;
  t.deepEqual(
    heard.filter(({ at }) => at > 0),
    told,
  );
});

test('an owner whose answer fails stays silent and keeps its connection', async (t) => {
  const [a, b] = [await node(t), natsDirectory(await node(t), silentLogger)];
  const directory = natsDirectory(a, silentLogger);
  await directory.own({ objectId: '5', version: 0 }, () => {
    throw new Error('no state yet');
  });
  const answer = { node: 'a', state: 'SIGN_OBJECT_DOING', since: 1 } as const;
  await directory.own({ objectId: '6', version: 0 }, () => answer);
  await t.throwsAsync(b.find({ objectId: '5', version: 0 }), { code: 'owner-silent' });
  t.deepEqual(await b.find({ objectId: '6', version: 0 }), answer);
  t.false(a.isClosed());
});

test('the search for an owner can be cancelled', async (t) => {
  const mute = await node(t);
  mute.subscribe('object.7.0', { callback: () => undefined });
  await mute.flush();
  const options = { signal: AbortSignal.timeout(50) };
  const found = natsDirectory(await node(t), silentLogger).find({ objectId: '7', version: 0 }, options);
  await t.throwsAsync(found, { name: 'Cancelled' });
});

test('a slow watcher receives the latest events, and the end of its connection', async (t) => {
  const connection = await node(t);
  const feed = natsJobFeed(connection, silentLogger);
  const job = { objectId: '8', version: 0 };
  const { signal } = new AbortController();
  const watching = feed.watch({ job, signal })[Symbol.asyncIterator]();
  const first = watching.next();
  await connection.flush();
  for (let at = 0; at <= 1_200; at++) feed.announce({ job, state: 'SEAL_OBJECT_DOING', at, node: 'a' });
  t.is((await first).value?.at, 0);
  await connection.flush();
  const heard = [];
  void connection.close();
  for (let one = await watching.next(); !one.done; one = await watching.next()) heard.push(one.value.at);
  t.true(heard.length <= 1_000);
  t.is(heard.at(-1), 1_200);
  t.notThrows(() => feed.announce({ job, state: 'SEAL_OBJECT_DONE', at: 0, node: 'a' }));
});
