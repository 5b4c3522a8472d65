import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { silentLogger } from '../telemetry/logger.ts';
import { connectNats } from './connect.ts';
import { Outbound } from './outbound.ts';
import { startNatsServer } from './server.ts';

const LARGE = 16 * 1024;

test('all bytes are sent in order, large ones from where they are and small ones joined', (t) => {
  const lengths = fc.array(fc.constantFrom(0, 1, 30, LARGE - 1, LARGE, 3 * LARGE), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(lengths, { maxLength: 4 }), (rounds) => {
      const sent: Uint8Array[] = [];
      const outbound = new Outbound((part) => sent.push(part));
      const filled: Uint8Array[] = [];
      for (const round of rounds) {
        const bodies = round.map((length) => new Uint8Array(randomBytes(length)));
        for (const body of bodies) outbound.fill(body);
        const before = sent.length;
        sent.push(outbound.drain());
        const large = bodies.filter(({ length }) => length >= LARGE);
        for (const body of large) t.true(sent.includes(body));
        t.true(sent.length - before <= 2 * large.length + 1);
        t.is(outbound.size(), 0);
        filled.push(...bodies);
      }
      t.true(Buffer.concat(sent).equals(Buffer.concat(filled)));
    }),
    { numRuns: 50 },
  );
});

test('a small message that nothing follows is sent', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const arriving = connection.subscribe('s', { max: 1 });
  connection.publish('s', 'small');
  for await (const message of arriving) t.is(message.string(), 'small');
});

test('messages of all lengths that are published together arrive as they were', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const bodies = [1, LARGE, 0, LARGE + 1, 900_000, 20, LARGE - 1, 300_000, 500_000].map((n) =>
    randomBytes(n),
  );
  const arriving = connection.subscribe('s', { max: bodies.length });
  for (const body of bodies) connection.publish('s', body);
  let i = 0;
  for await (const { data } of arriving) t.true(Buffer.from(data).equals(bodies[i++] ?? Buffer.alloc(0)));
  t.is(i, bodies.length);
});
