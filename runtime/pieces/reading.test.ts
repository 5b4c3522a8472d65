import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { startCuttingProxy } from '../testing/cutting-proxy.ts';
import { ChunkLink } from './chunk-link.ts';
import { openNatsPieceStore } from './nats-piece-store.ts';

const MiB = 1024 * 1024;
const log = silentLogger;
let server: NatsServer;
let connection: NatsConnection;

test.before(async () => {
  server = await startNatsServer();
  connection = await connectNats({ url: server.url, name: 'test', log });
});
test.after.always(async () => {
  await connection?.close();
  await server?.stop();
});

const newBucket = () => `pieces-${randomUUID()}`;

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}

test.serial('many readers of one piece share what is read', async (t) => {
  const own = await connectNats({ url: server.url, name: 'readers', log });
  t.teardown(() => own.close());
  const store = await openNatsPieceStore({ connection, readConnection: own, bucket: newBucket(), log });
  const bytes = randomBytes(5 * MiB);
  await store.put('k', bytes);
  const all = await Promise.all(Array.from({ length: 40 }, async () => await collect(store.read('k'))));
  t.true(all.every((read) => read.equals(bytes)));
  t.true(own.stats().inBytes < 6 * MiB);
});

test.serial('readers that keep their chunks do not block others', async (t) => {
  const own = await connectNats({ url: server.url, name: 'readers', log });
  t.teardown(() => own.close());
  const options = { connection, readConnection: own, bucket: newBucket(), readMemory: 4 * MiB, log };
  const store = await openNatsPieceStore(options);
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  const bytes = randomBytes(5 * MiB);
  for (const key of keys) await store.put(key, bytes);
  const readers = keys.map((key) => store.read(key)[Symbol.asyncIterator]());
  await Promise.all(readers.map((reader) => reader.next()));
  t.true(bytes.equals(await collect(store.read('k0'))));
  t.true(own.stats().inBytes < (20 + 20) * MiB, 'those who wait have nothing read ahead for them');
  for (const reader of readers) await reader.return?.();
});

test.serial(
  'readers of one chunk have the same memory, and those that would keep too much a copy',
  async (t) => {
    const store = await openNatsPieceStore({ connection, bucket: newBucket(), readMemory: 4 * MiB, log });
    const bytes = randomBytes(5 * MiB);
    await store.put('k', bytes);
    const begin = async (at: number) => {
      const offset = at * MiB;
      const reader = store.read('k', { offset, length: MiB / 2 })[Symbol.asyncIterator]();
      const value: Uint8Array = (await reader.next()).value;
      t.true(bytes.subarray(offset, offset + value.length).equals(value));
      return { reader, memory: value.buffer };
    };
    const same = await Promise.all(Array.from({ length: 10 }, () => begin(0)));
    t.is(new Set(same.map(({ memory }) => memory)).size, 1);
    const others = await Promise.all([1, 2, 3, 4].map(begin));
    t.is(
      others.filter(({ memory }) => memory.byteLength > MiB / 2).length,
      1,
      'two chunks are half of it all',
    );
    for (const { reader } of [...same, ...others]) await reader.return?.();
    t.true(bytes.equals(await collect(store.read('k'))));
  },
);

test.serial('a reader that continues after its chunk was given to others gets the right bytes', async (t) => {
  const options = { connection, bucket: newBucket(), readMemory: 2 * MiB, log };
  const store = await openNatsPieceStore(options);
  const bytes = randomBytes(3 * MiB);
  for (const key of ['a', 'b', 'c']) await store.put(key, bytes);
  const read = async (key: string) => {
    const parts: Uint8Array[] = [];
    for await (const part of store.read(key, { atMost: () => 100_001 })) {
      parts.push(part);
      await turn();
    }
    return Buffer.concat(parts).equals(bytes);
  };
  t.deepEqual(await Promise.all(['a', 'b', 'c'].map(read)), [true, true, true]);
});

test.serial('a read goes on over a lost connection', async (t) => {
  let chunks = 0;
  const proxy = await startCuttingProxy(server.port, ({ from, line }) => {
    if (from !== 'server' || !line.startsWith('HMSG')) return false;
    chunks += 1;
    return chunks === 3;
  });
  t.teardown(() => proxy.close());
  const own = await connectNats({ url: proxy.url, name: 'cut', log });
  t.teardown(() => own.close());
  const store = await openNatsPieceStore({ connection, readConnection: own, bucket: newBucket(), log });
  const bytes = randomBytes(6 * MiB);
  await store.put('k', bytes);
  t.true(bytes.equals(await store.get('k')));
  t.is(proxy.cuts, 1);
});

test.serial('a question that a hanging replica got is asked again', async (t) => {
  const replica = await connectNats({ url: server.url, name: 'replica', log });
  t.teardown(() => replica.close());
  const heard: string[] = [];
  replica.subscribe('$JS.API.DIRECT.GET.hangs', {
    callback: (_, message) => {
      heard.push(message.string());
      if (heard.length > 1) message.respond('the chunk');
    },
  });
  await replica.flush();
  const answer = await new ChunkLink(connection, 'hangs', 60_000).get(7);
  t.deepEqual([answer?.string(), heard], ['the chunk', ['{"seq":7}', '{"seq":7}']]);
});

test.serial('what a lost connection has swallowed is not waited for', async (t) => {
  // So long that the test would hang if it were.
  const requestLimitMs = 600_000;
  let cut = '';
  const proxy = await startCuttingProxy(server.port, ({ from, line }) => {
    if (from !== 'client' || !cut || !line.includes(cut)) return false;
    cut = '';
    return true;
  });
  t.teardown(() => proxy.close());
  const own = await connectNats({ url: proxy.url, name: 'cut', log });
  t.teardown(() => own.close());
  const store = await openNatsPieceStore({ connection: own, bucket: newBucket(), requestLimitMs, log });
  await store.put('k', randomBytes(10));
  cut = '$JS.API.STREAM.MSG.GET';
  t.is((await store.stat('k'))?.size, 10, 'it is looked up again');
  cut = '.C.';
  t.is((await store.put('other', randomBytes(10))).size, 10, 'it is put again');
  cut = '.C.';
  const putting = store.put('third', Readable.from([randomBytes(10)]));
  await t.throwsAsync(putting, { name: 'Retryable', code: 'piece-store-unavailable' });
  t.is(proxy.cuts, 3);
});
