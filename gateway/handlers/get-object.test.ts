import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { Action } from '#protocols/greenfield/types';
import { gate, until } from '#runtime/actors/testing';
import { connectNats } from '#runtime/nats/connect';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayLimits } from '../limits.ts';
import { serveGateway } from '../server.ts';
import { bucket, OWNER, object, STRANGER } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { ownersKey, presignedUrl } from '../testing/keys.ts';
import { jobContext } from '../testing/pipeline.ts';
import { signedRequest } from '../testing/signed-request.ts';
import { type Stored, storedObject } from '../testing/stored.ts';

const MiB = 1024 * 1024;
let server: NatsServer;
let connection: NatsConnection;

test.before(async () => {
  server = await startNatsServer();
  connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
});
test.after.always(async () => {
  await connection?.close();
  await server?.stop();
});

function store(
  t: ExecutionContext,
  payload: Buffer,
  maxSegmentSize: number,
  limits: Partial<GatewayLimits> = {},
): Promise<Stored> {
  return storedObject(t, connection, payload, maxSegmentSize, limits);
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

const GET = { method: 'GET' };
const URL_OF = 'http://photos.sp1.localhost/a.jpg';

test('an object is returned whole, with its type and length', async (t) => {
  const { app, payload, log } = await store(t, randomBytes(10), 4);
  const response = await app.request(URL_OF);
  t.is(response.status, 200);
  t.is(response.headers.get('Content-Type'), 'image/jpeg');
  t.is(response.headers.get('Content-Length'), '10');
  t.false(response.headers.has('Content-Range'));
  t.true(payload.equals(await bytesOf(response)));
  await until(() => log.lines.length === 1);
  t.like(log.lines[0], { method: 'GET', status: 200, bytes: 10 });
});

test('every range returns that part of the object', async (t) => {
  const { app, payload } = await store(t, randomBytes(23), 5);
  await fc.assert(
    fc.asyncProperty(fc.nat(22), fc.nat(30), fc.boolean(), async (start, more, open) => {
      const Range = open ? `bytes=${start}-` : `bytes=${start}-${start + more}`;
      const response = await app.request(URL_OF, { headers: { Range } });
      const end = open ? 22 : Math.min(22, start + more);
      t.is(response.status, 206);
      t.is(response.headers.get('Content-Range'), `bytes ${start}-${end}/23`);
      t.is(response.headers.get('Content-Length'), String(end + 1 - start));
      t.true(payload.subarray(start, end + 1).equals(await bytesOf(response)));
    }),
    { numRuns: 60 },
  );
  const suffix = await app.request(URL_OF, { headers: { Range: 'bytes=-3' } });
  t.true(payload.subarray(20).equals(await bytesOf(suffix)));
});

test('a range outside the object is 416, with the length of the object', async (t) => {
  const { app } = await store(t, randomBytes(10), 4);
  for (const Range of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
    const response = await app.request(URL_OF, { headers: { Range } });
    t.is(response.headers.get('Content-Range'), 'bytes */10');
    const { status, code } = await errorOf(response);
    t.deepEqual([status, code], [416, 50012]);
  }
});

test('a range that is malformed, or several, are ignored', async (t) => {
  const { app, payload } = await store(t, randomBytes(10), 4);
  for (const Range of ['bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes', '']) {
    const response = await app.request(URL_OF, { headers: { Range } });
    t.is(response.status, 200);
    t.is(response.headers.get('Accept-Ranges'), 'bytes');
    t.true(payload.equals(await bytesOf(response)));
  }
});

test('HEAD returns the headers of the whole and reads nothing', async (t) => {
  const { app, chain } = testGateway(t);
  chain.objects = [{ object: object({ status: 'SEALED', visibility: 'PUBLIC_READ' }) }];
  for (const headers of [{}, { Range: 'bytes=2-3' }, { Range: 'bytes=99-' }]) {
    const response = await app.request(URL_OF, { method: 'HEAD', headers });
    t.is(response.status, 200);
    t.is(response.headers.get('Content-Type'), 'image/jpeg');
    t.is(response.headers.get('Content-Length'), '10');
    t.is(response.headers.get('Accept-Ranges'), 'bytes');
    t.false(response.headers.has('Content-Range'));
    t.is(await response.text(), '');
  }
});

test('an empty object has an empty body', async (t) => {
  const { app } = await store(t, Buffer.alloc(0), 4);
  const response = await app.request(URL_OF);
  t.is(response.headers.get('Content-Length'), '0');
  t.is(await response.text(), '');
});

test('a content type that HTTP cannot carry is left out', async (t) => {
  const { app, chain, payload } = await store(t, randomBytes(10), 4);
  for (const contentType of ['', 'a\r\nX-Evil: 1', '图像']) {
    chain.objects = [
      { object: object({ status: 'SEALED', visibility: 'PUBLIC_READ', contentType, payloadSize: 10 }) },
    ];
    const response = await app.request(URL_OF);
    t.is(response.headers.get('Content-Type'), 'application/octet-stream');
    t.true(payload.equals(await bytesOf(response)));
  }
});

test('everyone can read public objects, others need permission', async (t) => {
  const { app, chain } = await store(t, randomBytes(10), 4);
  const statuses = async () => [
    (await app.request(URL_OF)).status,
    (await app.request(signedRequest({ ...GET, by: STRANGER }))).status,
    (await app.request(signedRequest({ ...GET, by: OWNER }))).status,
  ];
  chain.allow(OWNER, Action.GET_OBJECT);
  for (const [own, ofBucket, isPublic] of [
    ['PUBLIC_READ', 'PRIVATE', true],
    ['INHERIT', 'PUBLIC_READ', true],
    ['INHERIT', 'PRIVATE', false],
    ['PRIVATE', 'PUBLIC_READ', false],
    ['UNSPECIFIED', 'PUBLIC_READ', false],
  ] as const) {
    chain.buckets = [bucket({ visibility: ofBucket })];
    chain.objects = [{ object: object({ status: 'SEALED', visibility: own }) }];
    t.deepEqual(await statuses(), isPublic ? [200, 200, 200] : [401, 401, 200], `${own} in ${ofBucket}`);
  }
  t.is((await errorOf(await app.request(URL_OF))).code, 50004);
  t.is((await errorOf(await app.request(signedRequest({ ...GET, expiresInMs: -1 })))).code, 50023);
});

test('the permission to read is asked together with the object', async (t) => {
  const { app, chain } = await store(t, randomBytes(10), 4);
  chain.objects = [{ object: object({ status: 'SEALED', visibility: 'PRIVATE' }) }];
  chain.allow(OWNER, Action.GET_OBJECT);
  const { opened, open } = gate();
  const [askObject, askPermission] = [chain.object.bind(chain), chain.isAllowed.bind(chain)];
  chain.object = async (...asked) => {
    await opened;
    return askObject(...asked);
  };
  chain.isAllowed = async (...asked) => {
    open();
    return askPermission(...asked);
  };
  t.is((await app.request(signedRequest({ ...GET, by: OWNER }))).status, 200);
});

test('a public object is served even with an invalid signature', async (t) => {
  const { app } = await store(t, randomBytes(10), 4);
  t.is((await app.request(URL_OF, { headers: { Authorization: 'Basic x' } })).status, 200);
});

test('a payload that is fully uploaded can be read before the seal, one that is not cannot', async (t) => {
  const { app, chain, pipeline, payload } = await store(t, randomBytes(10), 4);
  chain.objects = [{ object: object({ status: 'CREATED', visibility: 'PUBLIC_READ' }) }];
  const refused = async () => {
    const { status, code } = await errorOf(await app.request(URL_OF));
    t.deepEqual([status, code], [400, 30002]);
  };
  await refused();
  pipeline.contexts.set('4711.0', jobContext({ state: 'UPLOAD_OBJECT_DOING' }));
  await refused();
  const uploaded = { segmentChecksums: [], integrityHash: '00' };
  const context = jobContext({ state: 'REPLICATE_OBJECT_DOING', payload: uploaded });
  pipeline.contexts.set('4711.0', context);
  t.true(payload.equals(await bytesOf(await app.request(URL_OF))));
  pipeline.contexts.set('4711.0', { ...context, state: 'OBJECT_DISCONTINUED' });
  await refused();
  chain.objects = [{ object: object({ status: 'DISCONTINUED', visibility: 'PUBLIC_READ' }) }];
  await refused();
});

test('during an update, the old content is served', async (t) => {
  const { app, chain, pieces } = await store(t, randomBytes(10), 4);
  const old = randomBytes(3);
  await pieces.put('4711+v2+s0', old);
  const update = {
    updater: OWNER.address,
    payloadSize: 10,
    contentType: '',
    checksums: [],
    updatedAt: 9,
    version: 3,
  };
  const sealed = object({
    status: 'SEALED',
    visibility: 'PUBLIC_READ',
    version: 2,
    payloadSize: 3,
    updatedAt: 2500,
    isUpdating: true,
  });
  chain.objects = [{ object: sealed, update }];
  t.true(old.equals(await bytesOf(await app.request(URL_OF))));
  t.deepEqual(chain.paramsAskedAt, [2500]);
});

test('only a pre-signed URL sets the content disposition', async (t) => {
  const { app, chain, records } = testGateway(t);
  chain.allow(OWNER, Action.GET_OBJECT);
  const objectName = 'summer/a "b" é.jpg';
  const path = `/${objectName.split('/').map(encodeURIComponent).join('/')}`;
  const show = (visibility: 'PRIVATE' | 'PUBLIC_READ') => {
    chain.objects = [{ object: object({ status: 'SEALED', payloadSize: 0, objectName, visibility }) }];
  };
  await records.offChainKeys.register(ownersKey());
  const disposition = async (request: string | Request) => {
    const response = await app.request(request);
    t.is(response.status, 200);
    return response.headers.get('Content-Disposition');
  };
  show('PRIVATE');
  const name = `filename="a _b_ _.jpg"; filename*=UTF-8''a%20%22b%22%20%C3%A9.jpg`;
  const saved = `attachment; ${name}`;
  t.is(await disposition(presignedUrl({}, { path })), saved);
  t.is(await disposition(presignedUrl({ view: '0' }, { path })), saved);
  t.is(await disposition(presignedUrl({ view: '1' }, { path })), `inline; ${name}`);
  t.is(await disposition(presignedUrl({ view: 'true' }, { path })), `inline; ${name}`);
  t.is(await disposition(signedRequest({ ...GET, target: path })), null);
  show('PUBLIC_READ');
  t.is(await disposition(presignedUrl({}, { path })), null);
});

test('a missing bucket, a missing object and another primary each have their own error', async (t) => {
  const { app, chain } = await store(t, randomBytes(10), 4);
  const code = async () => (await errorOf(await app.request(URL_OF))).code;
  chain.knownFamilies = [{ id: 7, primarySpId: 2, gvgIds: [] }];
  t.is(await code(), 20002);
  chain.objects = [];
  t.is(await code(), 20008);
  chain.buckets = [];
  t.is(await code(), 20007);
});

test('a lost or damaged payload is never delivered as complete', async (t) => {
  const { app, pieces, log } = await store(t, randomBytes(10), 4);
  await pieces.delete('4711+s1');
  await t.throwsAsync(bytesOf(await app.request(URL_OF)));
  await until(() => log.lines.length === 1);
  t.like(log.lines[0], { status: 200, bytes: 4, reason: 'piece-missing', code: 115001 });

  await pieces.put('4711+s1', randomBytes(3));
  await t.throwsAsync(bytesOf(await app.request(URL_OF)));

  await pieces.delete('4711+s0');
  const response = await app.request(URL_OF);
  t.false(response.headers.has('Content-Length'));
  const { status, code } = await errorOf(response);
  t.deepEqual([status, code], [500, 115001]);
});

test('a download above the limit gets "busy" and Retry-After', async (t) => {
  const { app } = await store(t, randomBytes(10), 4, { maxDownloads: 1 });
  const first = await app.request(URL_OF);
  t.is((await errorOf(await app.request(URL_OF))).code, 60003);
  t.is((await app.request(URL_OF, { method: 'HEAD' })).status, 200);
  await bytesOf(first);
  t.is((await app.request(URL_OF)).status, 200);
});

/** Counts the bytes read and the reads in progress. */
function watched(pieces: PieceStore): { pieces: PieceStore; bytes: () => number; open: () => number } {
  let bytes = 0;
  let open = 0;
  const read: PieceStore['read'] = async function* (key, options) {
    open += 1;
    try {
      for await (const chunk of pieces.read(key, options)) {
        bytes += chunk.length;
        yield chunk;
      }
    } finally {
      open -= 1;
    }
  };
  const watching = new Proxy(pieces, {
    get: (target, name) => (name === 'read' ? read : Reflect.get(target, name)),
  });
  return { pieces: watching, bytes: () => bytes, open: () => open };
}

/** Requests a large object over a socket; the caller decides how much of it is read. */
async function download(
  t: ExecutionContext,
  limits: Partial<GatewayLimits> = {},
): Promise<{
  stored: Stored;
  reads: ReturnType<typeof watched>;
  client: ClientRequest;
  response: IncomingMessage;
}> {
  const stored = await store(t, randomBytes(40 * MiB), 8 * MiB, limits);
  const reads = watched(stored.pieces);
  const gateway = testGateway(t, { limits, pieces: reads.pieces });
  Object.assign(gateway.chain, { params: stored.chain.params, objects: stored.chain.objects });
  const running = await serveGateway(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => running.close());
  const client = request({ port: running.port, path: '/a.jpg', headers: { Host: 'photos.sp1.localhost' } });
  // A download that is broken off is reset.
  client.on('error', () => {});
  t.teardown(() => client.destroy());
  client.end();
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return { stored: { ...stored, ...gateway }, reads, client, response };
}

test('a large object is downloaded unchanged over a socket', async (t) => {
  const { stored, reads, response } = await download(t);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  t.true(stored.payload.equals(Buffer.concat(chunks)));
  await until(() => reads.open() === 0 && stored.log.lines.length === 1);
  t.like(stored.log.lines[0], { status: 200, bytes: 40 * MiB });
});

test('a client that hangs up stops the reading', async (t) => {
  const { stored, reads, client } = await download(t);
  client.destroy();
  await until(() => reads.open() === 0 && stored.log.lines.length === 1);
  t.true(reads.bytes() < 40 * MiB);
  t.like(stored.log.lines[0], { reason: 'client-gone' });
});

test('for a client that reads nothing, nothing is prefetched, and it is cut off in the end', async (t) => {
  const { stored, reads, client } = await download(t, { idleTimeoutMs: 300 });
  await until(() => reads.open() === 0 && stored.log.lines.length === 1);
  t.true(reads.bytes() < 30 * MiB, `${reads.bytes()} bytes were read`);
  t.like(stored.log.lines[0], { reason: 'client-too-slow' });
  client.destroy();
});

test('an error during the body resets the connection', async (t) => {
  const { stored, response } = await download(t);
  await stored.pieces.delete('4711+s4');
  const error = await t.throwsAsync(async () => {
    for await (const _ of response);
  });
  t.is((error as NodeJS.ErrnoException).code, 'ECONNRESET');
  await until(() => stored.log.lines.length === 1);
  t.like(stored.log.lines[0], { reason: 'piece-missing' });
});
