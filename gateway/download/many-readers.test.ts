import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { segmentKey } from '#protocols/payload/keys';
import { connectNats } from '#runtime/nats/connect';
import { startNatsServer } from '#runtime/nats/server';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import { serveGateway } from '../server.ts';
import { object } from '../testing/chain.ts';
import { testGateway } from '../testing/gateway.ts';

const MiB = 2 ** 20;
const READ_MEMORY = 16 * MiB;
const log = silentLogger;

/** A gateway on a port, with one public object of 5 MiB, which it reads over a NATS connection of its own. */
async function gallery(t: ExecutionContext) {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'home', log });
  t.teardown(() => connection.close());
  const readConnection = await connectNats({ url: server.url, name: 'reads', log });
  t.teardown(() => readConnection.close());
  const store = { connection, readConnection, readMemory: READ_MEMORY, bucket: randomUUID(), log };
  const pieces = await openNatsPieceStore(store);
  const payload = randomBytes(5 * MiB);
  await pieces.put(segmentKey({ objectId: '4711', version: 0 }, 0), payload);
  const gateway = testGateway(t, { pieces });
  gateway.chain.params = { ...gateway.chain.params, maxSegmentSize: 16 * MiB };
  gateway.chain.objects = [
    { object: object({ status: 'SEALED', payloadSize: payload.length, visibility: 'PUBLIC_READ' }) },
  ];
  const running = await serveGateway(gateway.app, { host: '127.0.0.1', port: 0, closeTimeoutMs: 0, log });
  t.teardown(() => running.close());
  const agent = new Agent({ keepAlive: false });
  const get = async (headers: Record<string, string> = {}): Promise<IncomingMessage> => {
    const host = { Host: 'photos.sp1.localhost' };
    const sent = request({ port: running.port, path: '/a.jpg', agent, headers: { ...host, ...headers } });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  };
  const lost: string[] = [];
  for (const link of [connection, readConnection]) {
    void (async () => {
      for await (const { type } of link.status()) if (type === 'disconnect') lost.push(type);
    })();
  }
  return { payload, get, lost, readConnection };
}

async function checksum(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}

test('a burst of readers of one object is served, each with all of it', async (t) => {
  const { payload, get, lost, readConnection } = await gallery(t);
  const expected = await checksum(
    (async function* () {
      yield payload;
    })(),
  );
  const burst = Array.from({ length: 80 }, async () => checksum(await get()));
  t.deepEqual(new Set(await Promise.all(burst)), new Set([expected]));
  t.deepEqual(lost, []);
  t.true(readConnection.stats().inBytes < 80 * payload.length * 0.5, 'they share what is read');
});

test('readers that take nothing do not block others', async (t) => {
  const { payload, get, lost } = await gallery(t);
  const idle = await Promise.all(Array.from({ length: 100 }, () => get()));
  t.true(idle.every(({ statusCode }) => statusCode === 200));
  const part = await get({ Range: 'bytes=3000000-3000099' });
  const bytes: Buffer[] = [];
  for await (const chunk of part) bytes.push(chunk as Buffer);
  t.true(Buffer.concat(bytes).equals(payload.subarray(3_000_000, 3_000_100)));
  t.deepEqual(lost, []);
  for (const response of idle) response.destroy();
});
