import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { freePorts } from './ports.ts';

test('free ports can be listened on, and are outside the ephemeral range', async (t) => {
  const ports = await freePorts(16);
  t.is(new Set(ports).size, 16);
  for (const port of ports) {
    t.true(port >= 20_000 && port < 32_768);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
  }
  const others = await freePorts(16);
  t.false(others.some((port) => ports.includes(port)));
});
