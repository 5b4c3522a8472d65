import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { gate } from '#runtime/actors/testing';
import { silentLogger } from '../telemetry/logger.ts';
import { withProgram } from '../testing/programs.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { type HttpHandler, openHttpServer } from './server.ts';

const openssl = withProgram(test, 'openssl');
const echo: HttpHandler = async (request, response) => response.end(await text(request));

async function serve(t: ExecutionContext, handle = echo) {
  const { files } = selfSigned(t, ['one.example.com']);
  const server = await openHttpServer({
    ...{ name: 'The test', setting: 'none', host: '127.0.0.1', port: 0, handle },
    malformed: { type: 'text/plain', body: 'not HTTP' },
    maxConnections: 10,
    tls: files,
    certificateEveryMs: 5,
    log: silentLogger,
  });
  const close = () => {
    server.disconnect();
    return server.close();
  };
  t.teardown(close);
  /** Common name of the certificate on a new connection. */
  const shown = async () => {
    const socket = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    const { subjectaltname } = socket.getPeerCertificate();
    socket.destroy();
    return subjectaltname;
  };
  return { files, port: server.port, close, shown };
}

openssl('a request over HTTPS is answered', async (t) => {
  const { port, files } = await serve(t);
  const to = { host: '127.0.0.1', servername: 'one.example.com', ca: await readFile(files.cert), port };
  const [response] = (await once(request({ ...to, method: 'PUT' }).end('payload'), 'response')) as [
    IncomingMessage,
  ];
  t.is(await text(response), 'payload');
});

openssl('a new certificate is shown to new connections, and open ones continue', async (t) => {
  const second = gate();
  const { port, files, shown } = await serve(t, async (_, response) => {
    response.write('first');
    await second.opened;
    response.end(' second');
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  t.teardown(() => agent.destroy());
  const ask = async () => {
    const asked = request({ agent, host: '127.0.0.1', port }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { response, socket: asked.socket as TLSSocket };
  };
  const { response, socket } = await ask();
  t.is(await shown(), 'DNS:one.example.com');
  const { files: other } = selfSigned(t, ['two.example.com']);
  await copyFile(other.cert, files.cert);
  await copyFile(other.key, files.key);
  while ((await shown()) !== 'DNS:two.example.com');
  second.open();
  t.is(await text(response), 'first second');
  const again = await ask();
  t.is(again.socket, socket);
  t.is(await text(again.response), 'first second');
});

openssl('a client that does not speak TLS is cut off, and others are served', async (t) => {
  const { port, shown } = await serve(t);
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
  });
  await once(socket, 'close');
  t.notRegex(received, /HTTP/);
  t.is(await shown(), 'DNS:one.example.com');
});

openssl('a server closes though a client has not shaken hands', async (t) => {
  const { port, close, shown } = await serve(t);
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  await shown();
  await Promise.all([once(socket, 'close'), close()]);
  t.pass();
});
