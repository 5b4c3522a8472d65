import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { GATEWAY_ERRORS } from '#protocols/greenfield/gateway-errors';
import { Action } from '#protocols/greenfield/types';
import { segmentKey } from '#protocols/payload/keys';
import { gate, until } from '#runtime/actors/testing';
import { connectNats } from '#runtime/nats/connect';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import { type RunningGateway, serveGateway } from './server.ts';
import { OWNER, object } from './testing/chain.ts';
import { type TestGateway, testGateway } from './testing/gateway.ts';
import { anyRequest } from './testing/requests.ts';
import { signedHeaders } from './testing/signed-request.ts';
import { exchange, type RawAnswer, type RawRequest, readAnswers } from './testing/wire.ts';

const PAYLOAD = Buffer.from('0123456789');
const SEGMENT = 4;
/** Concurrent requests; fewer than the gateway has slots for. */
const AT_ONCE = 6;
/** What the HTTP server says beside 400 of a request that never gets to the gateway. */
const REFUSALS: readonly number[] = [431, 501, 505];

let nats: NatsServer;
let connection: NatsConnection;

test.before(async () => {
  nats = await startNatsServer();
  connection = await connectNats({ url: nats.url, name: 'test', log: silentLogger });
});
test.after.always(async () => {
  await connection?.close();
  await nats?.stop();
});

interface Served extends TestGateway {
  readonly server: RunningGateway;
}

/**
 * A gateway whose chain has objects of all names but one: waiting for the payload, sealed and private, or sealed
 * and public.
 */
async function serve(t: ExecutionContext): Promise<Served> {
  const pieces = await openNatsPieceStore({ connection, bucket: randomUUID(), log: silentLogger });
  for (let i = 0; i * SEGMENT < PAYLOAD.length; i++) {
    const segment = PAYLOAD.subarray(i * SEGMENT, (i + 1) * SEGMENT);
    await pieces.put(segmentKey({ objectId: '4711', version: 0 }, i), segment);
  }
  const limits = { idleTimeoutMs: 50, maxUploads: 2 * AT_ONCE, maxDownloads: 2 * AT_ONCE };
  const gateway = testGateway(t, { limits, pieces });
  const { chain } = gateway;
  for (const action of Object.values(Action)) chain.allow(OWNER, action);
  chain.object = async (bucketName, objectName) => {
    if (objectName === 'unknown') return undefined;
    const sealed = { status: 'SEALED', localVirtualGroupId: 1 } as const;
    const over = [{}, sealed, { ...sealed, visibility: 'PUBLIC_READ' } as const][objectName.length % 3];
    return { object: object({ bucketName, objectName, ...over }) };
  };
  const server = await serveGateway(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  return { ...gateway, server };
}

/** @throws Error that says what is wrong with what came back */
async function send({ server }: Served, request: RawRequest): Promise<void> {
  const bytes = await exchange(server.port, request);
  const answers = readAnswers(bytes, request.method);
  if (request.manner === 'wait' && answers.length === 0) {
    throw new Error(`no answer, but ${JSON.stringify(bytes.toString('latin1'))}`);
  }
  for (const [i, answer] of answers.entries()) checkAnswer(answer, i === 0 && request.method === 'HEAD');
}

const parser = new XMLParser({ parseTagValue: false, trimValues: false });

function checkAnswer({ status, headers, body }: RawAnswer, isHead: boolean): void {
  if (status < 400 || isHead) return;
  if (!/^(?:application|text)\/xml$/.test(headers.get('content-type') ?? '')) {
    throw new Error(`${status} with ${headers.get('content-type')}: ${body}`);
  }
  const xml = new TextDecoder('utf-8', { fatal: true }).decode(body);
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(xml)) throw new Error(`no XML: ${xml}`);
  const verdict = XMLValidator.validate(xml);
  if (verdict !== true) throw new Error(`${verdict.err.msg}: ${xml}`);
  const { Error: error } = parser.parse(xml) as { Error?: { Code?: string; Message?: string } };
  if (!/^[1-9][0-9]*$/.test(error?.Code ?? '') || !error?.Message) throw new Error(`no code: ${xml}`);
  const row = GATEWAY_ERRORS[Number(error.Code)];
  const isRefused = REFUSALS.includes(status) && error.Code === '50009';
  if (row?.status !== status && !isRefused) throw new Error(`${status} is not that of ${xml}`);
}

function rounds(served: Served, numRuns: number): Promise<void> {
  return fc.assert(
    fc.asyncProperty(fc.array(anyRequest, { minLength: 1, maxLength: AT_ONCE }), async (requests) => {
      await Promise.all(requests.map((request) => send(served, request)));
    }),
    { numRuns, includeErrorInReport: true },
  );
}

test.serial('every request gets an answer that an SDK can read, and nothing is left open', async (t) => {
  const served = await serve(t);
  await rounds(served, 150);
  t.true(served.pipeline.requests.length > 0);
  await until(() => served.pipeline.open === 0);
  t.deepEqual(await fillAllPlaces(served), Array(AT_ONCE).fill(200));
  t.is(await statusOf(served, 'GET', '/file'), 200);
  t.is(await statusOf(served, 'PUT', '/unknown?delegate=&payload_size=10'), 200);
});

test.serial('memory does not grow with the requests', async (t) => {
  const served = await serve(t);
  await rounds(served, 50);
  const before = inUse(served);
  await rounds(served, 150);
  const growth = inUse(served) - before;
  t.true(growth < 2 * 1024 ** 2, `${growth} bytes`);
});

/** Starts as many concurrent uploads as there are slots. @returns their statuses */
async function fillAllPlaces(served: Served): Promise<readonly number[]> {
  const all = gate();
  let arrived = 0;
  served.pipeline.before = () => {
    arrived += 1;
    if (arrived === AT_ONCE) all.open();
    return all.opened;
  };
  const uploads = Array.from({ length: AT_ONCE }, async () => {
    const status = await statusOf(served, 'PUT', '/new');
    all.open();
    return status;
  });
  return Promise.all(uploads);
}

/** The status that a well-behaved client gets. */
async function statusOf({ server }: Served, method: 'PUT' | 'GET', target: string): Promise<number> {
  const headers = { ...signedHeaders({ method, target }), Connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = method === 'PUT' ? `Content-Length: ${PAYLOAD.length}\r\n` : '';
  const text = `${method} ${target} HTTP/1.1\r\n${lines.join('')}${length}\r\n${method === 'PUT' ? PAYLOAD : ''}`;
  const bytes = await exchange(server.port, { method, pieces: [text], manner: 'wait' });
  return readAnswers(bytes, method)[0]?.status ?? 0;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use on and off the heap, without those that the stand-ins keep for inspection by tests. */
function inUse({ pipeline, announcer, log }: Served): number {
  pipeline.requests.length = 0;
  pipeline.taken.clear();
  pipeline.failures.clear();
  announcer.announcements.length = 0;
  log.lines.length = 0;
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
