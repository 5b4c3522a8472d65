import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { until } from '#runtime/actors/testing';
import { silentLogger } from '../telemetry/logger.ts';
import { breakOff } from './break-off.ts';
import { type HttpHandler, openHttpServer } from './server.ts';

const MiB = 2 ** 20;
const REFUSAL = 'not HTTP';
const answered: HttpHandler = (_request, response) => response.end('answer');

interface Connection {
  readonly socket: Socket;
  /** Resolves with all that was received when the server has closed its side. */
  readonly all: Promise<string>;
}

/** A server, and a raw connection to it that does not close by itself. */
async function open(t: ExecutionContext, handle: HttpHandler, keepAliveMs?: number): Promise<Connection> {
  const server = await openHttpServer({
    name: 'The test',
    setting: 'none',
    host: '127.0.0.1',
    port: 0,
    handle,
    malformed: { type: 'text/plain', body: REFUSAL },
    maxConnections: 10,
    ...(keepAliveMs !== undefined && { keepAliveMs }),
    log: silentLogger,
  });
  t.teardown(() => {
    server.disconnect();
    return server.close();
  });
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  socket.on('error', () => {});
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  const all = once(socket, 'end').then(() => {
    socket.end();
    return received;
  });
  return { socket, all };
}

function statuses(received: string): string[] {
  return [...received.matchAll(/HTTP\/1\.1 ([0-9]{3})/g)].map(([, status = '']) => status);
}

/** A handler that sends half of its answer and waits for the test to let it send the rest. */
function inTwoParts() {
  let finish = () => {};
  const handle: HttpHandler = (_request, response) => {
    response.writeHead(200, { 'Content-Length': 10 });
    response.write('01234');
    finish = () => response.end('56789');
  };
  return { handle, finish: () => finish() };
}

test('bytes that are not HTTP are answered behind the answer in progress, never inside', async (t) => {
  const { handle, finish } = inTwoParts();
  const { socket, all } = await open(t, handle);
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'data');
  socket.write('no http\r\n\r\n');
  socket.write('nor is this\r\n\r\n');
  setTimeout(finish, 100);
  const received = await all;
  t.regex(received, /^HTTP\/1\.1 200 [\s\S]*0123456789HTTP\/1\.1 400 [\s\S]*not HTTP$/);
});

test('a request with broken chunks has one answer, before or after they come', async (t) => {
  for (const handle of [answered, () => {}] as const) {
    const { socket, all } = await open(t, handle);
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    if (handle === answered) await once(socket, 'data');
    else await new Promise((resolve) => setTimeout(resolve, 100));
    socket.write('no chunk\r\n');
    socket.write('nor this\r\n');
    t.is(statuses(await all).length, 1);
  }
});

test('a client that closes its side gets its answer', async (t) => {
  const { handle, finish } = inTwoParts();
  const { socket, all } = await open(t, handle);
  socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'data');
  setTimeout(finish, 100);
  t.regex(await all, /0123456789$/);
});

test('a client that closes its side within a request is refused, whatever else it asked for', async (t) => {
  for (const header of ['X: y', 'Connection: upgrade\r\nUpgrade: websocket']) {
    const cancelled = { count: 0 };
    const { socket, all } = await open(t, async (request) => {
      await request.toArray().catch(() => {
        cancelled.count += 1;
      });
    });
    socket.end(`PUT / HTTP/1.1\r\nHost: a\r\n${header}\r\nContent-Length: 5\r\n\r\nabc`);
    t.deepEqual(statuses(await all), ['400'], header);
    await until(() => cancelled.count === 1);
  }
});

test('two Host headers are refused, even the same twice', async (t) => {
  for (const second of ['a', 'b']) {
    const { socket, all } = await open(t, answered);
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nhost: ${second}\r\n\r\n`);
    const received = await all;
    t.deepEqual(statuses(received), ['400']);
    t.regex(received, /Connection: close[\s\S]*not HTTP$/);
  }
});

test('another version of HTTP is 505, another coding around the payload 501', async (t) => {
  for (const [head, status] of [
    ['GET / HTTP/2.0\r\nHost: a\r\n', '505'],
    ['GET / HTTP/3.1\r\nHost: a\r\n', '505'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n', '505'],
    ['PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n', '501'],
    ['PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', '501'],
  ]) {
    const { socket, all } = await open(t, answered);
    socket.write(`${head}\r\n`);
    const received = await all;
    t.deepEqual(statuses(received), [status], head);
    t.regex(received, /Connection: close[\s\S]*not HTTP$/);
  }
  const { socket, all } = await open(t, answered);
  socket.write(
    'PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n',
  );
  t.deepEqual(statuses(await all), ['200']);
});

test('a transfer coding in HTTP/1.0 is faulty framing, with or without a length', async (t) => {
  for (const length of ['', 'Content-Length: 5\r\n']) {
    const { socket, all } = await open(t, answered);
    const head = `PUT / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n${length}Transfer-Encoding: chunked\r\n`;
    socket.write(`${head}\r\n0\r\n\r\n`);
    const received = await all;
    t.deepEqual(statuses(received), ['400'], length);
    t.regex(received, /Connection: close[\s\S]*not HTTP$/);
  }
  const { socket, all } = await open(t, answered);
  socket.write('PUT / HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\n\r\n1');
  t.deepEqual(statuses(await all), ['200']);
});

test('a GET or HEAD whose body trickles does not keep its connection', async (t) => {
  for (const method of ['GET', 'HEAD']) {
    for (const [framing, piece] of [
      ['Content-Length: 1000000', '1'],
      ['Transfer-Encoding: chunked', '1\r\n1\r\n'],
    ]) {
      const { socket, all } = await open(t, answered);
      socket.write(`${method} / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
      const trickle = setInterval(() => socket.write(piece ?? ''), 100);
      const received = await all.finally(() => clearInterval(trickle));
      t.deepEqual(statuses(received), ['200'], `${method}, ${framing}`);
      t.regex(received, /Connection: close/);
    }
  }
});

test('an idle connection is kept for 75 seconds, or as long as is set', async (t) => {
  const usual = await open(t, answered);
  usual.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [first] = await once(usual.socket, 'data');
  t.regex(String(first), /Keep-Alive: timeout=75\r\n/);
  const short = await open(t, answered, 1_000);
  short.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.regex(await short.all, /Keep-Alive: timeout=1\r\n/);
});

test('a client that sends header after header is cut off when their time is over', async (t) => {
  const { socket, all } = await open(t, answered, 200);
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
  const trickle = setInterval(() => socket.write('X: y\r\n'), 20);
  const received = await all.finally(() => clearInterval(trickle));
  t.regex(received, /^HTTP\/1\.1 408 [\s\S]*not HTTP$/);
});

test('what waits for a client that takes nothing is dropped when its response is broken off', async (t) => {
  let isBrokenOff = false;
  const { socket, all } = await open(t, (_request, response) => {
    response.write(Buffer.alloc(16 * MiB));
    setTimeout(() => {
      breakOff(response);
      isBrokenOff = true;
    }, 100);
  });
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => isBrokenOff);
  socket.resume();
  const received = await all.catch(() => '');
  t.true(received.length < MiB, `${received.length} bytes`);
});

test('all headers together are bounded, and none is dropped', async (t) => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `${i}:\r\n`).join('');
  const many = await open(t, (request, response) => response.end(`${request.rawHeaders.length / 2} headers`));
  many.socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${names(2_300)}\r\n`);
  t.regex(await many.all, /2302 headers/);
  const more = await open(t, answered);
  more.socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${names(20_000)}\r\n`);
  t.deepEqual(statuses(await more.all), ['431']);
});
