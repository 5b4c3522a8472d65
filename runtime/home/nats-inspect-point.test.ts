import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { natsInspectPoint } from './nats-inspect-point.ts';

const test = anyTest as TestFn<{ server: NatsServer }>;

test.beforeEach(async (t) => {
  t.context.server = await startNatsServer();
});
test.afterEach.always(async (t) => {
  await t.context.server.stop();
});

async function node(t: ExecutionContext<{ server: NatsServer }>): Promise<NatsConnection> {
  const connection = await connectNats({ url: t.context.server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  return connection;
}

test.serial('the trees of all nodes are read at once', async (t) => {
  const [a, b, reader] = [await node(t), await node(t), await node(t)];
  t.deepEqual(await natsInspectPoint(reader, silentLogger).read(), []);
  const tree = (name: string) =>
    ({ name, path: name, kind: 'system', status: 'running', restarts: 0, mailbox: 0, children: [] }) as const;
  natsInspectPoint(b, silentLogger).serve('b', () => tree('sp-1@b'));
  const served = natsInspectPoint(a, silentLogger).serve('a', () => tree('sp-1@a'));
  await Promise.all([a.flush(), b.flush()]);
  t.deepEqual(
    (await natsInspectPoint(reader, silentLogger).read()).map(({ name }) => name),
    ['sp-1@a', 'sp-1@b'],
  );
  await served.stop();
  await a.flush();
  t.deepEqual(
    (await natsInspectPoint(reader, silentLogger).read()).map(({ name }) => name),
    ['sp-1@b'],
  );
});

test.serial('a tree of thousands of actors is shown whole, a larger one is cut', async (t) => {
  const [a, reader] = [await node(t), natsInspectPoint(await node(t), silentLogger)];
  const status = { kind: 'object', status: 'running', restarts: 0, mailbox: 0 } as const;
  const leaf = (name: string) => ({ name, path: `tree/${name}`, ...status, children: [] });
  const treeOf = (names: readonly string[]) => ({ ...leaf('root'), children: names.map(leaf) });
  const served = natsInspectPoint(a, silentLogger);
  const thousands = served.serve('a', () => treeOf(Array.from({ length: 10_000 }, (_, i) => String(i))));
  await a.flush();
  t.is((await reader.read({ timeoutMs: 60_000 }))[0]?.children.length, 10_000);
  await thousands.stop();
  const noise = randomBytes(2_000_000).toString('base64');
  served.serve('a', () => treeOf([noise]));
  await a.flush();
  t.deepEqual((await reader.read({ timeoutMs: 60_000 }))[0]?.children, []);
  t.false(a.isClosed());
});
