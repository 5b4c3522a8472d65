import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Cancelled } from '#protocols/errors';
import { Action } from '#protocols/greenfield/types';
import { gate, until } from '#runtime/actors/testing';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayLimits } from './limits.ts';
import { serveGateway } from './server.ts';
import { OWNER, object } from './testing/chain.ts';
import { noPieces, testGateway } from './testing/gateway.ts';
import { signedHeaders } from './testing/signed-request.ts';

const PAYLOAD = Buffer.from('0123456789');
const pieces: PieceStore = Object.assign(Object.create(noPieces), {
  async *read() {
    yield PAYLOAD;
  },
});

/** A client that closes its side. Nothing that it sends distinguishes it from one that has gone. */
interface HalfClosing {
  /** Sends the text and closes its side. */
  say(text: string, localAddress?: string): { readonly socket: Socket; readonly answer: Promise<string> };
}

async function serve(t: ExecutionContext, limits: Partial<GatewayLimits> = {}) {
  const gateway = testGateway(t, { limits, pieces });
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  gateway.chain.params = { ...gateway.chain.params, maxSegmentSize: PAYLOAD.length };
  const server = await serveGateway(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  const say: HalfClosing['say'] = (text, localAddress = '127.0.0.1') => {
    const socket = connect({ host: '127.0.0.1', port: server.port, localAddress });
    t.teardown(() => socket.destroy());
    let received = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    socket.end(text);
    return { socket, answer: once(socket, 'close').then(() => received) };
  };
  return { ...gateway, say };
}

function put(body: string): string {
  const headers = Object.entries({ ...signedHeaders(), 'Content-Length': PAYLOAD.length });
  return `PUT /a.jpg HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

const GET = 'GET /a.jpg HTTP/1.1\r\nHost: photos.sp1.localhost\r\n\r\n';
const SEALED = { status: 'SEALED', visibility: 'PUBLIC_READ' } as const;
const OVER_RATE = { perClient: { requestsPerSecond: 0, bytesPerSecond: 0.1 } };

test('an upload is completed when the client closes its side after the payload', async (t) => {
  const { pipeline, say } = await serve(t);
  const processed = gate();
  pipeline.before = () => processed.opened;
  const { answer } = say(put('0123456789'));
  await until(() => pipeline.requests.length === 1);
  processed.open();
  t.regex(await answer, /^HTTP\/1\.1 200 /);
});

test('an upload is cancelled when the client closes its side within the payload', async (t) => {
  const { pipeline, say } = await serve(t);
  const { answer } = say(put('01234'));
  await until(() => pipeline.failures.has('4711.0') && pipeline.open === 0);
  t.true(pipeline.failures.get('4711.0') instanceof Cancelled);
  t.notRegex(await answer, /HTTP\/1\.1 200 /);
});

test('a download is delivered after the client has closed its side', async (t) => {
  const { chain, say } = await serve(t);
  chain.objects = [{ object: object(SEALED) }];
  t.regex(await say(GET).answer, /^HTTP\/1\.1 200 [\s\S]*0123456789$/);
});

test('an upload over its rate does not wait once the client has closed its side', async (t) => {
  const { pipeline, say } = await serve(t, OVER_RATE);
  t.regex(await say(put('0123456789')).answer, /^HTTP\/1\.1 200 /);
  t.is(pipeline.taken.get('4711.0')?.toString(), '0123456789');
});

test('a download over its rate ends once the client has closed its side, and frees its slot', async (t) => {
  const { chain, log, say } = await serve(t, { ...OVER_RATE, maxDownloads: 1 });
  chain.objects = [{ object: object(SEALED) }];
  for (const from of ['127.0.0.1', '127.0.0.2']) {
    const lines = log.lines.length;
    t.notRegex(await say(GET, from).answer, /0123456789/);
    await until(() => log.lines.length > lines);
    t.like(log.lines.at(-1), { reason: 'client-gone' });
  }
});
