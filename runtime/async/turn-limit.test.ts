import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import test from 'ava';
import { TurnLimit } from './turn-limit.ts';

test('what arrives while the process is stalled is read before the limit is over', async (t) => {
  const server = createServer((socket) => socket.once('data', () => socket.end('answer')));
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const socket = connect(typeof address === 'object' && address ? address.port : 0, '127.0.0.1');
  await once(socket, 'connect');
  const limit = new TurnLimit(400);
  socket.write('question');
  const stalledUntil = performance.now() + 600;
  while (performance.now() < stalledUntil);
  const answered = once(socket, 'data').then(([data]) => String(data));
  t.is(await Promise.race([answered, limit.over.then(() => 'over')]), 'answer');
  await limit.over;
});
