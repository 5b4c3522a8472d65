import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { bodyOf, type GatewayContext } from './context.ts';

const SIZE = 8 * 2 ** 20;

test('no body is read faster than others, however large its window is', async (t) => {
  const rounds = new Map<number, number>();
  let round = 0;
  const server = createServer(async (incoming, outgoing) => {
    let marker: NodeJS.Immediate | undefined;
    const next = () => {
      round += 1;
      marker = setImmediate(next);
    };
    next();
    for await (const { length } of bodyOf({ env: { incoming, outgoing } } as unknown as GatewayContext)) {
      rounds.set(round, (rounds.get(round) ?? 0) + length);
    }
    clearImmediate(marker);
    outgoing.end();
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve, reject) => {
    const put = request({ port, method: 'PUT', agent: false }, (answer) =>
      answer.resume().once('end', resolve),
    );
    put.once('error', reject);
    put.end(new Uint8Array(SIZE));
  });
  t.is(
    [...rounds.values()].reduce((sum, bytes) => sum + bytes, 0),
    SIZE,
  );
  t.true(Math.max(...rounds.values()) <= 128 * 1024);
});
