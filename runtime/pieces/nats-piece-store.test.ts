import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Objm, StorageType } from '@nats-io/obj';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { patient } from '../nats/patient.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { startCuttingProxy } from '../testing/cutting-proxy.ts';
import { openNatsPieceStore } from './nats-piece-store.ts';
import { pieceStoreContract, sha256 } from './piece-store.contract.ts';

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

const open = (bucket: string) => openNatsPieceStore({ connection, bucket, log });
const newBucket = () => `pieces-${randomUUID()}`;
const plain = (bucket: string) => new Objm(jetstream(patient(connection))).open(bucket);

pieceStoreContract('NATS', () => open(newBucket()));

function child(t: ExecutionContext, bucket: string, key: string, fill: number): ChildProcess {
  const script = new URL('./nats-piece-store.child.js', import.meta.url);
  const started = fork(script, [server.url, bucket, key, String(6 * MiB), String(fill)]);
  t.teardown(() => started.kill('SIGKILL'));
  return started;
}

const says = async (process: ChildProcess) => (await once(process, 'message'))[0] as unknown;
const filled = (value: number) => Buffer.alloc(6 * MiB, value);

test('any client of the object store can read a piece', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  const bytes = randomBytes(2 * MiB + 3);
  await store.put('4711+s0', bytes);
  t.true(bytes.equals((await (await plain(bucket)).getBlob('4711+s0')) ?? new Uint8Array()));
});

test('a name deleted by another program is free', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  await store.put('k', randomBytes(10));
  await (await plain(bucket)).delete('k');
  for await (const { key } of store.list()) t.fail(key);
  t.is(await store.stat('k'), undefined);
  const bytes = randomBytes(10);
  await store.put('k', bytes);
  t.true(bytes.equals(await store.get('k')));
});

test('a process killed during a put leaves no piece, and a sweep removes its chunks', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  await store.put('other', randomBytes(2 * MiB));
  const writer = child(t, bucket, 'k', 1);
  t.is(await says(writer), 'midway');
  writer.kill('SIGKILL');
  await once(writer, 'exit');

  t.is(await store.stat('k'), undefined);
  await t.throwsAsync(store.get('k'), { code: 'piece-missing' });
  t.is(
    (await store.sweep({ olderThanMs: 3_600_000, limit: 100 })).purged,
    0,
    'young chunks may belong to a put',
  );
  t.is((await store.sweep({ olderThanMs: 0, limit: 1 })).purged, 1);
  t.true((await store.sweep({ olderThanMs: 0, limit: 100 })).purged >= 1);
  t.is((await store.sweep({ olderThanMs: 0, limit: 100 })).purged, 0);
  t.is((await store.get('other')).length, 2 * MiB);
});

test('of two processes that put different bytes under one name, one wins and the other gets an error', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  const writers = [child(t, bucket, 'k', 1), child(t, bucket, 'k', 2)];
  t.deepEqual(await Promise.all(writers.map(says)), ['midway', 'midway']);
  for (const writer of writers) writer.send('go');
  const outcomes = await Promise.all(writers.map(says));
  t.deepEqual([...outcomes].sort(), ['piece-exists', 'stored']);
  t.true(filled(outcomes.indexOf('stored') + 1).equals(await store.get('k')));
  t.is((await store.sweep({ olderThanMs: 0, limit: 100 })).purged, 0);
});

test('a suspended process that resumes after another stored the name changes nothing', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  const writer = child(t, bucket, 'k', 1);
  t.is(await says(writer), 'midway');
  writer.kill('SIGSTOP');
  await store.put('k', filled(2));
  writer.send('go');
  writer.kill('SIGCONT');
  t.is(await says(writer), 'piece-exists');
  t.true(filled(2).equals(await store.get('k')));
  t.is((await store.sweep({ olderThanMs: 0, limit: 100 })).purged, 0);
});

test('a piece without its chunks is corrupt, and a new put replaces it', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  const bytes = randomBytes(2 * MiB);
  await store.put('k', bytes);
  const manager = await jetstreamManager(patient(connection));
  await manager.streams.purge(`OBJ_${bucket}`, { filter: `$O.${bucket}.C.>`, keep: 1 });

  await t.throwsAsync(store.get('k'), { name: 'Retryable', code: 'piece-corrupt' });
  await t.throwsAsync(store.put('k', bytes), { name: 'Retryable', code: 'piece-corrupt' });
  t.is((await store.put('k', bytes)).checksum, sha256(bytes));
  t.true(bytes.equals(await store.get('k')));
});

test('a slow reader holds only a few chunks in memory', async (t) => {
  const own = await connectNats({ url: server.url, name: 'slow', log });
  t.teardown(() => own.close());
  const store = await openNatsPieceStore({ connection: own, bucket: newBucket(), log });
  await store.put('k', new Uint8Array(32 * MiB));
  const before = own.stats().inBytes;
  const reader = store.read('k')[Symbol.asyncIterator]();
  await reader.next();
  await own.flush();
  t.true(own.stats().inBytes - before < 6 * MiB);
  await reader.return?.();
});

test('a put whose last acknowledgement was lost with the connection is complete', async (t) => {
  const bucket = newBucket();
  let named = false;
  const proxy = await startCuttingProxy(server.port, ({ from, line }) => {
    named ||= line.includes(`PUB $O.${bucket}.M.`);
    return named && from === 'server' && proxy.cuts === 0;
  });
  t.teardown(() => proxy.close());
  const own = await connectNats({ url: proxy.url, name: 'cut', log });
  t.teardown(() => own.close());
  const store = await openNatsPieceStore({ connection: own, bucket, requestLimitMs: 5000, log });
  const bytes = randomBytes(2 * MiB);
  t.is((await store.put('k', bytes)).checksum, sha256(bytes));
  t.is(proxy.cuts, 1);
  t.true(bytes.equals(await store.get('k')));
});

test('a bucket whose settings would drop pieces is rejected', async (t) => {
  const bucket = newBucket();
  await new Objm(jetstream(patient(connection))).create(bucket, { ttl: 1e9, storage: StorageType.Memory });
  await t.throwsAsync(open(bucket), {
    name: 'Terminal',
    code: 'bucket-unfit',
    message: /memory, drops objects by age/,
  });
});
