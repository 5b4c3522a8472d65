import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { natsRollCall } from './nats-roll-call.ts';

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

test('every node answers for itself, and one that fails is left out', async (t) => {
  const [a, b, c, reader] = [await node(t), await node(t), await node(t), await node(t)];
  const served = natsRollCall(a, silentLogger).serve('report', 'a', async () => ({ since: 1 }));
  natsRollCall(b, silentLogger).serve('report', 'b', async () => ({ since: 2 }));
  natsRollCall(c, silentLogger).serve('report', 'c', () => Promise.reject(new Error('broken')));
  natsRollCall(c, silentLogger).serve('peers', 'c', async () => []);
  await Promise.all([a.flush(), b.flush(), c.flush()]);
  const ask = (nodes?: readonly string[]) =>
    natsRollCall(reader, silentLogger).ask('report', { timeoutMs: 60_000, ...(nodes && { nodes }) });
  t.deepEqual(Object.fromEntries(await ask(['a', 'b'])), { a: { since: 1 }, b: { since: 2 } });
  t.deepEqual(Object.fromEntries(await ask()), { a: { since: 1 }, b: { since: 2 } });
  served.stop();
  await a.flush();
  t.deepEqual([...(await ask()).keys()], ['b']);
});

test('the answers are empty where nobody answers', async (t) => {
  const reader = natsRollCall(await node(t), silentLogger);
  t.is((await reader.ask('nothing', { timeoutMs: 1_000 })).size, 0);
});

test('a node whose answer cannot be read or is too large is left out', async (t) => {
  const [a, reader] = [await node(t), natsRollCall(await node(t), silentLogger)];
  a.subscribe('nodes.bad', { callback: (_, message) => void message.respond('nonsense') });
  const noise = Buffer.from(Array.from({ length: 1_500_000 }, () => Math.random() * 256)).toString('base64');
  natsRollCall(a, silentLogger).serve('large', 'a', async () => noise);
  await a.flush();
  t.is((await reader.ask('bad', { timeoutMs: 1_000 })).size, 0);
  t.is((await reader.ask('large', { timeoutMs: 1_000 })).size, 0);
});
