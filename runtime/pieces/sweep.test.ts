import { randomBytes, randomUUID } from 'node:crypto';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, nuid as nuids } from '@nats-io/nats-core';
import test from 'ava';
import { connect } from 'nats';
import { Retryable } from '#protocols/errors';
import { connectNats } from '../nats/connect.ts';
import { patient } from '../nats/patient.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { startCuttingProxy } from '../testing/cutting-proxy.ts';
import { openNatsPieceStore } from './nats-piece-store.ts';
import { chunkHeaders, formatHold, formatMeta, metaSubject } from './object-layout.ts';
import type { PieceStore } from './piece-store.ts';

const log = silentLogger;
const ALL = { olderThanMs: 0, limit: 10_000 };
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
const open = (bucket: string) => openNatsPieceStore({ connection, bucket, log });

/** Chunks as a put leaves them that is ended before it names them. @returns their nuid */
async function orphan(bucket: string, key: string | undefined, count = 2): Promise<string> {
  const nuid = nuids.next();
  const headers = key === undefined ? {} : { headers: chunkHeaders(key) };
  for (let i = 0; i < count; i += 1) {
    await jetstream(patient(connection)).publish(`$O.${bucket}.C.${nuid}`, randomBytes(10), headers);
  }
  return nuid;
}

/** Number of messages by subject. */
async function stored(bucket: string, filter = `$O.${bucket}.C.>`): Promise<Record<string, number>> {
  const manager = await jetstreamManager(patient(connection));
  const info = await manager.streams.info(`OBJ_${bucket}`, { subjects_filter: filter });
  return info.state.subjects ?? {};
}

const total = (counts: Record<string, number>) => Object.values(counts).reduce((sum, n) => sum + n, 0);

const PIECES = 150;
const LANES = 10;

test('wherever the connection is cut, no piece loses a chunk, and orphans are removed eventually', async (t) => {
  let cuts = 0;
  const lane = async (first: number) => {
    const bucket = newBucket();
    const direct = await open(bucket);
    for (let i = 0; i < PIECES; i += 1) await direct.put(`${i}+s0`, randomBytes(20));
    const live = await stored(bucket);
    for (let at = first; ; at += LANES) {
      await orphan(bucket, 'never-stored');
      await orphan(bucket, '7+s0');
      let isDone = true;
      const cut = await withCut(bucket, at, (store) =>
        store.sweep(ALL).catch((error: unknown) => {
          isDone = false;
          t.true(error instanceof Retryable, String(error));
        }),
      );
      const left = await stored(bucket);
      for (const subject of Object.keys(live)) t.is(left[subject], 1, `cut at message ${at}`);
      if (cut) cuts += 1;
      else if (isDone) break;
      // On a slow machine a request may have failed before it came to the cut.
      else at -= LANES;
    }
    await direct.sweep(ALL);
    t.deepEqual(await stored(bucket), live);
    for (let i = 0; i < PIECES; i += 1) t.is((await direct.get(`${i}+s0`)).length, 20);
    t.deepEqual(Object.keys(await stored(bucket, `$O.${bucket}.M.>`)).length, PIECES, 'no hold is left');
  };
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(i + 1)));
  t.true(cuts > 2 * PIECES, `${cuts} cuts`);
});

/** Uses a store over a connection that is cut at its nth message of either side. @returns whether it came to that */
async function withCut(
  bucket: string,
  nth: number,
  use: (store: PieceStore) => Promise<unknown>,
): Promise<boolean> {
  let seen = Number.NEGATIVE_INFINITY;
  const proxy = await startCuttingProxy(server.port, () => {
    seen += 1;
    return seen === nth;
  });
  const own = await connect({ servers: proxy.url, reconnectTimeWait: 5, maxReconnectAttempts: -1 });
  try {
    const store = await openNatsPieceStore({ connection: own, bucket, requestLimitMs: 500, log });
    seen = 0;
    await use(store);
    return proxy.cuts > 0;
  } finally {
    await own.close();
    proxy.close();
  }
}

test('a list of names is complete even if the connection is cut during it', async (t) => {
  const bucket = newBucket();
  const direct = await open(bucket);
  for (let i = 0; i < 15; i += 1) await direct.put(`${i}`, randomBytes(5));
  for (let nth = 1; ; nth += 1) {
    const names = new Set<string>();
    const cut = await withCut(bucket, nth, async (store) => {
      for await (const { key } of store.list()) names.add(key);
    });
    t.is(names.size, 15, `cut at message ${nth}`);
    if (!cut) break;
  }
});

test('chunks that do not name their piece are kept and counted', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  const legacy = await orphan(bucket, undefined, 3);
  await orphan(bucket, 'gone', 2);
  const mixed = await orphan(bucket, 'gone', 1);
  await jetstream(patient(connection)).publish(`$O.${bucket}.C.${mixed}`, randomBytes(10));
  t.deepEqual(await store.sweep(ALL), { purged: 2, unclaimed: 5 });
  t.deepEqual(await stored(bucket), { [`$O.${bucket}.C.${legacy}`]: 3, [`$O.${bucket}.C.${mixed}`]: 2 });
});

test('pieces without our header, of another program or an earlier version, are read and kept', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  const bytes = Buffer.from('stored before');
  const client = jetstream(patient(connection));
  const { seq } = await client.publish(`$O.${bucket}.C.old`, bytes);
  const checksum = (await store.put('same', bytes)).checksum;
  const piece = { key: 'old', nuid: 'old', size: bytes.length, checksum, chunkSize: 1024, chunks: [seq] };
  await client.publish(metaSubject(bucket, 'old'), formatMeta(bucket, piece));
  t.deepEqual(await store.sweep(ALL), { purged: 0, unclaimed: 0 });
  t.true(bytes.equals(await store.get('old')));
});

test('a hold left by an interrupted sweep blocks no put, and is removed by the next sweep', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  const client = jetstream(patient(connection));
  for (const key of ['a', 'b']) {
    const nuid = await orphan(bucket, key);
    await client.publish(metaSubject(bucket, key), formatHold(bucket, key, nuid));
  }
  for await (const { key } of store.list()) t.fail(key);
  await store.put('a', randomBytes(30));
  t.is(total(await stored(bucket)), 1 + 2, 'the chunks that were held for went with the hold');
  await store.sweep(ALL);
  t.is(total(await stored(bucket)), 1);
  t.is(total(await stored(bucket, `$O.${bucket}.M.>`)), 1);
  t.is((await store.get('a')).length, 30);
});

test('damaged metadata keeps its chunks, and does not prevent listing or sweeping', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  await store.put('whole', randomBytes(30));
  const nuid = await orphan(bucket, 'damaged');
  await jetstream(patient(connection)).publish(metaSubject(bucket, 'damaged'), '{"name":');
  await orphan(bucket, 'gone', 1);
  t.is((await store.sweep(ALL)).purged, 1);
  t.is((await stored(bucket))[`$O.${bucket}.C.${nuid}`], 2);
  const names: string[] = [];
  for await (const { key } of store.list()) names.push(key);
  t.deepEqual(names, ['whole']);
});

test('a pass purges no more than its limit', async (t) => {
  const bucket = newBucket();
  const store = await open(bucket);
  await orphan(bucket, 'a', 4);
  await orphan(bucket, 'b', 4);
  t.is((await store.sweep({ olderThanMs: 0, limit: 6 })).purged, 6);
  t.is(total(await stored(bucket)), 2);
  t.is((await store.sweep({ olderThanMs: 0, limit: 6 })).purged, 2);
});
