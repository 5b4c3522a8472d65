import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as plainRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import { serveGateway } from '#gateway/server';
import { OWNER, object } from '#gateway/testing/chain';
import { signedHeaders, type Unsigned } from '#gateway/testing/signed-request';
import { storedObject } from '#gateway/testing/stored';
import { Action } from '#protocols/greenfield/types';
import { until } from '#runtime/actors/testing';
import type { CertificateFiles } from '#runtime/http/certificate';
import { Proxies } from '#runtime/http/proxies';
import { connectNats } from '#runtime/nats/connect';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import { silentLogger } from '#runtime/telemetry/logger';
import { withProgram } from '#runtime/testing/programs';
import { selfSigned } from '#runtime/testing/self-signed';
import { freePorts } from '../devnet/ports.ts';

/** The example configurations of proxies, in front of a gateway. */

const MIB = 2 ** 20;
const NAME = 'a b/ü(1)+!*~.bin';
/** As the SDKs encode it. */
const TARGET = '/a%20b/%C3%BC%281%29%2B%21%2A~.bin';

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

interface Place {
  /** For whatever the proxy writes. */
  readonly folder: string;
  readonly port: number;
  readonly gatewayPort: number;
  readonly files: CertificateFiles;
}

/** How each proxy is started with its example. @returns the arguments of the program */
const PROXIES: Readonly<Record<string, (example: string, place: Place) => Promise<readonly string[]>>> = {
  async nginx(example, { folder, port, gatewayPort, files }) {
    const site = replaced(example, [
      ['listen 443', `listen 127.0.0.1:${port}`],
      ['  listen [::]:443 ssl http2;\n', ''],
      ['127.0.0.1:9033', `127.0.0.1:${gatewayPort}`],
      ['/etc/ssl/sealion/fullchain.pem', files.cert],
      ['/etc/ssl/sealion/privkey.pem', files.key],
    ]);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    );
    const main = [
      ...['daemon off;', 'worker_processes 1;', `pid ${folder}/pid;`, 'error_log stderr;'],
      ...[process.getuid?.() === 0 ? 'user root;' : '', 'events {}', 'http {', 'access_log off;'],
      ...[...temporary, site, '}'],
    ];
    await writeFile(join(folder, 'nginx.conf'), main.join('\n'));
    return ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')];
  },
  async caddy(example, { folder, port, gatewayPort, files }) {
    const [httpPort = 0] = await freePorts(1);
    const site = replaced(example, [
      ['127.0.0.1:9033', `127.0.0.1:${gatewayPort}`],
      ['/etc/ssl/sealion/fullchain.pem', files.cert],
      ['/etc/ssl/sealion/privkey.pem', files.key],
    ]);
    const globals = ['admin off', 'default_bind 127.0.0.1', `http_port ${httpPort}`, `https_port ${port}`];
    await writeFile(join(folder, 'Caddyfile'), `{\n${globals.join('\n')}\n}\n${site}`);
    return ['run', '--config', join(folder, 'Caddyfile'), '--adapter', 'caddyfile'];
  },
};
const EXAMPLES: Readonly<Record<string, string>> = { nginx: 'nginx.conf', caddy: 'Caddyfile' };

/** A proxy in front of a gateway that trusts it. Private objects: one of 3 MiB, and one that waits for 4 MiB. */
async function serve(t: ExecutionContext, name: string, program: string) {
  const payload = randomBytes(3 * MIB);
  const proxies = new Proxies(['127.0.0.1']);
  const gateway = await storedObject(t, connection, payload, 2 * MIB, {}, proxies);
  const { chain } = gateway;
  chain.allow(OWNER, Action.GET_OBJECT).allow(OWNER, Action.CREATE_OBJECT);
  chain.objects = [
    { object: object({ objectName: NAME, status: 'SEALED', payloadSize: payload.length }) },
    { object: object({ id: '4712', objectName: 'new.bin', payloadSize: 4 * MIB }) },
  ];
  const upstream = new Set<Socket>();
  const server = await serveGateway(gateway.app, {
    ...{ host: '127.0.0.1', port: 0, closeTimeoutMs: 0, log: silentLogger },
    proxies,
    onRequest: ({ socket }) => {
      upstream.add(socket);
      return () => {};
    },
  });
  t.teardown(() => server.close());
  const { folder, files } = selfSigned(t, ['sp1.localhost']);
  const [port = 0] = await freePorts(1);
  const place = { folder, port, files, gatewayPort: server.port };
  await startProxy(t, name, program, place);
  const agent = new Agent({ keepAlive: false, rejectUnauthorized: false });
  const open = (unsigned: Unsigned, more: { readonly from?: string; readonly headers?: object } = {}) =>
    request({
      ...{ host: '127.0.0.1', port, agent, servername: 'photos.sp1.localhost' },
      ...{ localAddress: more.from ?? '127.0.0.1', method: unsigned.method ?? 'PUT', path: unsigned.target },
      headers: { ...signedHeaders(unsigned), ...more.headers },
    });
  return { ...gateway, gatewayPort: server.port, port, upstream, open };
}

async function startProxy(t: ExecutionContext, name: string, program: string, place: Place): Promise<void> {
  const file = fileURLToPath(new URL(`../../../cluster/deploy/${EXAMPLES[name]}`, import.meta.url));
  const example = (await readFile(file, 'utf8')).replaceAll('gnfd-sp.example.com', 'sp1.localhost');
  const args = (await PROXIES[name]?.(example, place)) ?? [];
  const home = {
    ...process.env,
    HOME: place.folder,
    XDG_DATA_HOME: place.folder,
    XDG_CONFIG_HOME: place.folder,
  };
  const child = spawn(program, args, { env: home, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  t.teardown(() => ended(child));
  while (!(await isOpen(place.port))) {
    if (child.exitCode !== null) throw new Error(`${name} does not start: ${output}`);
    await sleep(20);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function replaced(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`the example has no ${from}`);
    return before.replaceAll(from, to);
  }, text);
}

async function answerOf(client: ClientRequest) {
  const [response] = (await once(client, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

for (const name of Object.keys(PROXIES)) {
  const behind = withProgram(test, name);

  behind(
    `behind ${name} a payload reaches the pipeline while it is sent, however large`,
    async (t, program) => {
      const { open, pipeline } = await serve(t, name, program);
      const body = randomBytes(4 * MIB);
      const headers = { 'Content-Length': body.length };
      const client = open({ target: '/new.bin' }, { headers }).on('error', () => {});
      client.write(body.subarray(0, 2 * MIB));
      await until(() => pipeline.taken.get('4712.0')?.length === 2 * MIB);
      client.end(body.subarray(2 * MIB));
      t.is((await answerOf(client)).status, 200);
      t.true(pipeline.taken.get('4712.0')?.equals(body));
    },
  );

  behind(`behind ${name} a client that breaks off cancels its upload`, async (t, program) => {
    const { open, pipeline } = await serve(t, name, program);
    const client = open({ target: '/new.bin' }, { headers: { 'Content-Length': 4 * MIB } }).on(
      'error',
      () => {},
    );
    client.write(randomBytes(1000));
    await until(() => pipeline.taken.get('4712.0')?.length === 1000);
    client.destroy();
    await until(() => pipeline.failures.has('4712.0'));
    t.pass();
  });

  behind(`behind ${name} signatures and ranges hold, over one connection to the node`, async (t, program) => {
    const { open, payload, upstream } = await serve(t, name, program);
    const get = { method: 'GET', target: TARGET };
    const whole = await answerOf(open(get).end());
    t.is(whole.status, 200);
    t.true(payload.equals(whole.body));
    t.is(whole.headers['content-length'], `${payload.length}`);
    const part = await answerOf(open({ ...get, headers: { Range: 'bytes=2097150-2097160' } }).end());
    t.is(part.status, 206);
    t.is(part.headers['content-range'], `bytes 2097150-2097160/${payload.length}`);
    t.true(payload.subarray(2_097_150, 2_097_161).equals(part.body));
    const etag = `${whole.headers.etag}`;
    t.is((await answerOf(open(get, { headers: { 'If-None-Match': etag } }).end())).status, 304);
    t.is((await answerOf(open({ ...get, signedHost: 'photos.sp2.localhost' }).end())).status, 401);
    t.is(upstream.size, 1);
  });

  behind(`behind ${name} a client is known by its own address, whatever it says`, async (t, program) => {
    const { open, log, gatewayPort } = await serve(t, name, program);
    const clients = () => log.lines.flatMap(({ client, status }) => (status === 206 ? [client] : []));
    const get = { method: 'GET', target: TARGET, headers: { Range: 'bytes=0-9' } };
    const forged = { 'X-Forwarded-For': '198.51.100.1', Forwarded: 'for=198.51.100.1' };
    await answerOf(open(get, { from: '127.0.0.7', headers: forged }).end());
    const direct = { host: '127.0.0.1', port: gatewayPort, localAddress: '127.0.0.8', path: TARGET };
    const headers = { ...signedHeaders(get), ...forged };
    await answerOf(plainRequest({ ...direct, agent: false, headers }).end());
    await until(() => clients().length === 2);
    t.deepEqual(clients(), ['127.0.0.7', '127.0.0.8']);
  });
}
