import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { until } from '#runtime/actors/testing';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger as log } from '../telemetry/logger.ts';
import { joinPresent, type Presence } from './presence.ts';

let server: NatsServer;
test.before(async () => {
  server = await startNatsServer();
});
test.after.always(() => server?.stop());

/** A node with a connection of its own, which `end` closes without a word, as the end of its process would. */
async function join(t: ExecutionContext, node: string, everyMs = 50, url = server.url) {
  const connection = await connectNats({ url, name: node, log });
  t.teardown(() => connection.close());
  const what = t.title.replaceAll(/[^a-z]/g, '-');
  const presence = await joinPresent({ connection, what, node, everyMs });
  t.teardown(() => presence.leave());
  return { presence, end: () => connection.close() };
}

const counts = (nodes: readonly { readonly presence: Presence }[]) =>
  nodes.map((one) => one.presence.count());

test('a node counts itself, and a new one and the others know each other at once', async (t) => {
  const everyMs = 60_000;
  const a = await join(t, 'a', everyMs);
  t.deepEqual(counts([a]), [1]);
  const b = await join(t, 'b', everyMs);
  t.deepEqual(counts([a, b]), [2, 2]);
  const c = await join(t, 'c', everyMs);
  t.deepEqual(counts([a, b, c]), [3, 3, 3]);
});

test('a node that leaves is not counted any more, and one that ends without a word soon is not', async (t) => {
  const nodes = [await join(t, 'a'), await join(t, 'b'), await join(t, 'c')] as const;
  const [a, b, c] = nodes;
  await b.presence.leave();
  await until(() => a.presence.count() === 2 && c.presence.count() === 2);
  await c.end();
  await until(() => a.presence.count() === 1);
  t.pass();
});

test('a node that starts again under its name counts once', async (t) => {
  const a = await join(t, 'a', 60_000);
  const before = await join(t, 'b', 60_000);
  await before.end();
  const again = await join(t, 'b', 60_000);
  t.deepEqual(counts([a, again]), [2, 2]);
});

test('a node without a connection keeps its number', async (t) => {
  const own = await startNatsServer();
  t.teardown(() => own.stop());
  const nodes = [await join(t, 'a', 200, own.url), await join(t, 'b', 200, own.url)];
  await own.kill();
  await sleep(1_000);
  t.deepEqual(counts(nodes), [2, 2]);
});
