import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { Cancelled, Terminal } from '#protocols/errors';
import { Action } from '#protocols/greenfield/types';
import { gate, until } from '#runtime/actors/testing';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayLimits } from './limits.ts';
import { type RunningGateway, serveGateway } from './server.ts';
import { OWNER, object } from './testing/chain.ts';
import { type TestGateway, testGateway } from './testing/gateway.ts';
import { signedHeaders } from './testing/signed-request.ts';

interface Served extends TestGateway {
  readonly server: RunningGateway;
}

async function serve(
  t: ExecutionContext,
  limits: Partial<GatewayLimits> = {},
  closeTimeoutMs = 0,
): Promise<Served> {
  const gateway = testGateway(t, { limits });
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  const server = await serveGateway(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  return { ...gateway, server };
}

/** Starts a signed PUT of the object; the caller sends the body. */
function put({ server }: Served, headers: Record<string, string | number> = {}): ClientRequest {
  const client = request({
    port: server.port,
    method: 'PUT',
    path: '/a.jpg',
    headers: { ...signedHeaders(), ...headers },
  });
  client.on('error', () => {});
  return client;
}

async function answer(client: ClientRequest): Promise<{ status: number | undefined; body: string }> {
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

/** Resolves when the connection is closed, for whatever reason. */
function gone(connection: Socket | ClientRequest): Promise<void> {
  return new Promise((resolve) => connection.once('close', () => resolve()));
}

function setPayloadSize({ chain }: Served, payloadSize: number): void {
  chain.objects = [{ object: object({ payloadSize }) }];
}

/** A raw connection, for input that no HTTP client would send. */
function rawSocket(t: ExecutionContext, { server }: Served): { socket: Socket; received: () => string } {
  const socket = connect(server.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return { socket, received: () => received };
}

test('a payload is uploaded over a socket, with a Content-Length or chunked', async (t) => {
  const served = await serve(t);
  for (const headers of [{ 'Content-Length': 10 }, { 'Transfer-Encoding': 'chunked' }]) {
    const client = put(served, headers);
    client.write('01234');
    client.end('56789');
    t.deepEqual(await answer(client), { status: 200, body: '' });
    t.is(served.pipeline.taken.get('4711.0')?.toString(), '0123456789');
  }
});

test('a payload is streamed: the pipeline reads its first bytes before the last are sent', async (t) => {
  const served = await serve(t);
  const client = put(served, { 'Content-Length': 10 });
  client.write('01234');
  await until(() => served.pipeline.taken.get('4711.0')?.length === 5);
  client.end('56789');
  t.is((await answer(client)).status, 200);
});

test('a chunked body that is too long is refused while the client is still sending', async (t) => {
  const served = await serve(t);
  setPayloadSize(served, 100_000);
  const client = put(served, { 'Transfer-Encoding': 'chunked' });
  const block = Buffer.alloc(64 * 1024);
  const send = () => {
    while (!client.destroyed && client.write(block));
  };
  client.on('drain', send);
  send();
  const { status, body } = await answer(client);
  client.destroy();
  t.is(status, 400);
  t.regex(body, /<Code>110008<\/Code>/);
  t.true((served.pipeline.taken.get('4711.0')?.length ?? 0) < 100_000);
});

test('a chunked body that is too short is 110008', async (t) => {
  const served = await serve(t);
  const client = put(served, { 'Transfer-Encoding': 'chunked' });
  client.end('01234');
  const { status, body } = await answer(client);
  t.is(status, 400);
  t.regex(body, /<Code>110008<\/Code>/);
});

test('a connection survives an upload refused half-way', async (t) => {
  const served = await serve(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const sockets = new Set<unknown>();
  for (const [bytes, expected] of [
    [11, 400],
    [10, 200],
  ] as const) {
    const headers = { ...signedHeaders(), 'Transfer-Encoding': 'chunked' };
    const client = request({ agent, port: served.server.port, method: 'PUT', path: '/a.jpg', headers });
    client.on('socket', (socket) => sockets.add(socket));
    for (let i = 0; i < bytes; i++) client.write('x');
    client.end();
    t.is((await answer(client)).status, expected);
  }
  t.is(sockets.size, 1);
});

test('a wrong Content-Length is refused at once, without reading the body', async (t) => {
  const served = await serve(t);
  const client = put(served, { 'Content-Length': 11 });
  client.flushHeaders();
  const { status, body } = await answer(client);
  client.destroy();
  t.is(status, 400);
  t.regex(body, /<Code>110008<\/Code>/);
  t.is(served.pipeline.requests.length, 0);
});

test('a client that hangs up cancels its upload', async (t) => {
  const served = await serve(t);
  const client = put(served, { 'Content-Length': 10 });
  client.write('01234');
  await until(() => served.pipeline.taken.get('4711.0')?.length === 5);
  client.destroy();
  await until(() => served.pipeline.failures.has('4711.0') && served.log.lines.length === 1);
  t.true(served.pipeline.failures.get('4711.0') instanceof Cancelled);
  t.true(served.pipeline.requests[0]?.signal.aborted);
  t.like(served.log.lines[0], { reason: 'client-gone', bytes: 5 });
});

test('a connection that is lost while the payload is being processed cancels the upload too', async (t) => {
  const served = await serve(t);
  served.pipeline.before = ({ signal }) => once(signal, 'abort').then(() => {});
  const client = put(served, { 'Content-Length': 10 });
  client.write('0123456789');
  await until(() => served.pipeline.requests.length === 1);
  client.socket?.resetAndDestroy();
  await until(() => served.log.lines.length === 1);
  t.like(served.log.lines[0], { reason: 'client-gone' });
});

test('malformed chunks end the upload', async (t) => {
  const served = await serve(t);
  const { socket, received } = rawSocket(t, served);
  const headers = Object.entries(signedHeaders()).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`PUT /a.jpg HTTP/1.1\r\n${headers.join('')}Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n`);
  await until(() => served.pipeline.taken.get('4711.0')?.length === 5);
  socket.write('no chunk\r\n');
  await until(() => served.pipeline.failures.has('4711.0'));
  t.true(served.pipeline.failures.get('4711.0') instanceof Cancelled);
  await until(() => socket.destroyed || received().length > 0);
});

test('a silent client gets an error, and its connection is closed', async (t) => {
  const served = await serve(t, { idleTimeoutMs: 50 });
  const client = put(served, { 'Content-Length': 10 });
  client.write('01234');
  const { status, body } = await answer(client);
  t.is(status, 400);
  t.regex(body, /<Code>110005<\/Code>.*sent nothing/);
  await gone(client);
});

test('a trickling client gets an error, and its connection is closed', async (t) => {
  const served = await serve(t, { minBytesPerSecond: 1_000_000, rateWindowMs: 50 });
  setPayloadSize(served, 1_000_000);
  const client = put(served, { 'Content-Length': 1_000_000 });
  const timer = setInterval(() => client.write('x'), 5);
  t.teardown(() => clearInterval(timer));
  const { status, body } = await answer(client);
  clearInterval(timer);
  t.is(status, 400);
  t.regex(body, /<Code>110005<\/Code>.*bytes per second/);
});

test('a client that sends "Expect: 100-continue" sends its payload only after the checks', async (t) => {
  const served = await serve(t);
  const refused = put(served, { 'Content-Length': 11, Expect: '100-continue' });
  refused.on('continue', () => t.fail('the payload is not wanted'));
  refused.flushHeaders();
  t.is((await answer(refused)).status, 400);
  refused.destroy();
  const taken = put(served, { 'Content-Length': 10, Expect: '100-continue' });
  taken.flushHeaders();
  await once(taken, 'continue');
  taken.end('0123456789');
  t.is((await answer(taken)).status, 200);
});

test('a client with an unknown expectation is served nevertheless', async (t) => {
  const served = await serve(t);
  const client = put(served, { 'Content-Length': 10, Expect: 'miracles' });
  client.end('0123456789');
  t.deepEqual(await answer(client), { status: 200, body: '' });
});

test('malformed requests get an answer that an SDK can read', async (t) => {
  const served = await serve(t);
  for (const bytes of [
    'no http\r\n\r\n',
    'GET /a.jpg HTTP/1.1\r\n\r\n',
    'GET /a.jpg HTTP/1.1\r\nHost: a b\r\n\r\n',
    'GET /a\\b HTTP/1.1\r\nHost: photos.sp1.localhost\r\n\r\n',
    `GET /a.jpg HTTP/1.1\r\nHost: photos.sp1.localhost\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`,
  ]) {
    const { socket, received } = rawSocket(t, served);
    socket.write(bytes);
    await until(() => received().includes('</Error>'));
    t.regex(received(), /^HTTP\/1\.1 4[0-9]{2} .*<Error><Code>50009<\/Code>/s, bytes.slice(0, 60));
    socket.destroy();
  }
});

test('the host of an absolute target counts, whatever the case of its scheme', async (t) => {
  const served = await serve(t);
  served.chain.objects = [
    { object: object({ status: 'SEALED', visibility: 'PUBLIC_READ', payloadSize: 0 }) },
  ];
  for (const scheme of ['http', 'HTTP', 'Https']) {
    const { socket, received } = rawSocket(t, served);
    socket.write(
      `GET ${scheme}://photos.sp1.localhost/a.jpg HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n`,
    );
    await gone(socket);
    t.regex(received(), /^HTTP\/1\.1 200 /, scheme);
  }
});

test('dots in a path are refused, not resolved', async (t) => {
  const served = await serve(t);
  const { socket, received } = rawSocket(t, served);
  socket.write('GET /other/../a.jpg HTTP/1.1\r\nHost: photos.sp1.localhost\r\n\r\n');
  await until(() => received().includes('</Error>'));
  t.regex(received(), /<Code>50044<\/Code>/);
});

test('closing waits for open uploads and accepts no new connection', async (t) => {
  const served = await serve(t, {}, 60_000);
  const client = put(served, { 'Content-Length': 10 });
  client.write('01234');
  await until(() => served.pipeline.taken.get('4711.0')?.length === 5);
  const closed = served.server.close();
  const { socket } = rawSocket(t, served);
  await gone(socket);
  client.end('56789');
  t.is((await answer(client)).status, 200);
  await closed;
  await served.server.close();
});

test('closing aborts what is still open at the time limit', async (t) => {
  const served = await serve(t, {}, 20);
  const client = put(served, { 'Content-Length': 10 });
  const broken = gone(client);
  client.write('01234');
  await until(() => served.pipeline.taken.get('4711.0')?.length === 5);
  await served.server.close();
  await broken;
  await until(() => served.pipeline.failures.has('4711.0'));
  t.true(served.pipeline.failures.get('4711.0') instanceof Cancelled);
});

test('closing does not wait for idle connections', async (t) => {
  const served = await serve(t, {}, 60_000);
  const { socket } = rawSocket(t, served);
  await once(socket, 'connect');
  await served.server.close();
  t.pass();
});

test('a port that is in use is a clear error', async (t) => {
  const served = await serve(t);
  const options = { host: '127.0.0.1', port: served.server.port, closeTimeoutMs: 0, log: silentLogger };
  await t.throwsAsync(serveGateway(served.app, options), { instanceOf: Terminal, code: 'cannot-listen' });
});

test('concurrent uploads do not mix', async (t) => {
  const served = await serve(t);
  const names = Array.from({ length: 16 }, (_, i) => `${i}.bin`);
  served.chain.objects = names.map((objectName, i) => ({
    object: object({ objectName, id: String(i + 1), payloadSize: 200_000 }),
  }));
  const all = gate();
  served.pipeline.before = () => {
    if (served.pipeline.requests.length === names.length) all.open();
    return all.opened;
  };
  const answers = names.map((name, i) => {
    const path = `/${name}`;
    const headers = { ...signedHeaders({ target: path }), 'Content-Length': 200_000 };
    const client = request({ port: served.server.port, method: 'PUT', path, headers, agent: false });
    client.end(Buffer.alloc(200_000, i));
    return answer(client);
  });
  for (const { status } of await Promise.all(answers)) t.is(status, 200);
  for (const i of names.keys()) {
    t.true(served.pipeline.taken.get(`${i + 1}.0`)?.equals(Buffer.alloc(200_000, i)));
  }
});
