import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import { Retryable } from '../../protocols/errors.ts';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import type { JobAnnouncement } from './home.ts';
import { natsDirectory } from './nats-directory.ts';
import { natsInspectPoint } from './nats-inspect-point.ts';
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

test('the owner of a job answers until it is released, and then nobody does', async (t) => {
  const [a, b] = [natsDirectory(await node(t)), natsDirectory(await node(t))];
  const job = { objectId: '1', version: 0 };
  t.is(await b.find(job), undefined);
  const answer = { node: 'a', state: 'UPLOAD_OBJECT_DOING', since: 5 } as const;
  const entry = await a.own(job, () => answer);
  t.deepEqual(await b.find(job), answer);
  t.is(await b.find({ objectId: '1', version: 1 }), undefined);
  await entry.release();
  t.is(await b.find(job), undefined);
});

test('an owner that is there but silent is told apart from none', async (t) => {
  const mute = await node(t);
  mute.subscribe('object.2.0', { callback: () => undefined });
  await mute.flush();
  const error = await t.throwsAsync<Retryable>(
    natsDirectory(await node(t)).find({ objectId: '2', version: 0 }),
    {
      instanceOf: Retryable,
    },
  );
  t.is(error?.code, 'owner-silent');
});

test('who watches a job hears of that job, in order, until the signal fires', async (t) => {
  const [a, b] = [natsJobFeed(await node(t)), natsJobFeed(await node(t))];
  const job = { objectId: '3', version: 2 };
  const stop = new AbortController();
  const heard: JobAnnouncement[] = [];
  const watching = (async () => {
    for await (const one of b.watch({ job, signal: stop.signal })) {
      heard.push(one);
      if (heard.length === 2) stop.abort();
    }
  })();
  const told = [
    { job, state: 'UPLOAD_OBJECT_DOING', at: 1 },
    { job, state: 'REPLICATE_OBJECT_DOING', at: 2, secondary: { spId: 4, redundancyIndex: 1 } },
  ] as const;
  const ticking = setInterval(() => {
    if (heard.length > 0) return;
    a.announce({ ...told[0], job: { objectId: '9', version: 2 } });
    for (const one of told) a.announce(one);
  }, 50);
  await watching;
  clearInterval(ticking);
  t.deepEqual(heard, told);
});

test('the trees of all nodes are read at once', async (t) => {
  const [a, b, reader] = [await node(t), await node(t), await node(t)];
  t.deepEqual(await natsInspectPoint(reader).read(), []);
  const tree = (name: string) =>
    ({ name, path: name, kind: 'system', status: 'running', restarts: 0, mailbox: 0, children: [] }) as const;
  natsInspectPoint(b).serve('b', () => tree('sp-1@b'));
  const served = natsInspectPoint(a).serve('a', () => tree('sp-1@a'));
  await Promise.all([a.flush(), b.flush()]);
  t.deepEqual(
    (await natsInspectPoint(reader).read()).map(({ name }) => name),
    ['sp-1@a', 'sp-1@b'],
  );
  await served.stop();
  await a.flush();
  t.deepEqual(
    (await natsInspectPoint(reader).read()).map(({ name }) => name),
    ['sp-1@b'],
  );
});
