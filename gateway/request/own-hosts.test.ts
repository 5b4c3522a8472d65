import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import { Action } from '#protocols/greenfield/types';
import { segmentKey } from '#protocols/payload/keys';
import { connectNats } from '#runtime/nats/connect';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayDependencies } from '../dependencies.ts';
import { serveGateway } from '../server.ts';
import { OWNER, object, provider } from '../testing/chain.ts';
import { testGateway } from '../testing/gateway.ts';
import { signedHeaders } from '../testing/signed-request.ts';
import { exchange, readAnswers } from '../testing/wire.ts';

const OBJECT = '/photos/a.jpg';

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

interface Asked {
  /** What the request line says. */
  readonly target?: string;
  /** What is signed of it. */
  readonly signed?: string;
  readonly signedHost?: string;
}

/** A gateway on a port of 127.0.0.1. @returns what it answers to the owner of a private object: its bytes, or status and code */
async function serve(
  t: ExecutionContext,
  over: Partial<Pick<GatewayDependencies, 'domains' | 'anyHost'>> = {},
) {
  const pieces = await openNatsPieceStore({ connection, bucket: randomUUID(), log: silentLogger });
  await pieces.put(segmentKey({ objectId: '4711', version: 0 }, 0), Buffer.from('SECRET'));
  const gateway = testGateway(t, { ...over, pieces });
  const { app, chain } = gateway;
  chain.allow(OWNER, Action.GET_OBJECT);
  chain.params = { ...chain.params, maxSegmentSize: 6 };
  chain.objects = [{ object: object({ status: 'SEALED', payloadSize: 6 }) }];
  const server = await serveGateway(app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  const ask = async (host: string, { target = OBJECT, signed = target, signedHost = host }: Asked = {}) => {
    const { Host: _, ...headers } = signedHeaders({ method: 'GET', target: signed, host: signedHost });
    const lines = Object.entries({ ...headers, Host: host, Connection: 'close' }).map(
      ([k, v]) => `${k}: ${v}`,
    );
    const text = [`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
    const bytes = await exchange(server.port, { method: 'GET', pieces: [text], manner: 'wait' });
    const [answer] = readAnswers(bytes, 'GET');
    const code = /<Code>([0-9]+)<\/Code>/.exec(`${answer?.body}`)?.[1];
    return code === undefined ? `${answer?.body}` : `${answer?.status}/${code}`;
  };
  return { ...gateway, port: server.port, ask };
}

test('a request signed for another provider is refused, whoever sends it', async (t) => {
  const { ask } = await serve(t);
  const inHost = { target: '/a.jpg' };
  t.is(await ask('sp1.localhost'), 'SECRET');
  t.is(await ask('SP1.localhost:9033'), 'SECRET');
  t.is(await ask('photos.sp1.localhost', inHost), 'SECRET');
  for (const host of [
    'sp2.localhost',
    'sp2.localhost:9033',
    'localhost.evil',
    'xsp1.localhost',
    'sp1.localhost.',
  ]) {
    t.is(await ask(host), '400/50009', host);
  }
  t.is(await ask('attackerbucket.sp2.localhost'), '400/50009');
  t.is(await ask('photos.sp2.localhost', inHost), '400/50009');
  t.is(await ask('10.1.2.3'), '400/50009');
  t.is(await ask('a@sp1.localhost'), '400/50009');
});

test('the host of an absolute request target counts, and must be signed', async (t) => {
  const { ask } = await serve(t);
  const to = (host: string, signedHost: string) => ({
    target: `http://${host}${OBJECT}`,
    signed: OBJECT,
    signedHost,
  });
  t.is(await ask('sp1.localhost', to('sp1.localhost', 'sp1.localhost')), 'SECRET');
  t.is(await ask('sp2.localhost', to('sp1.localhost', 'sp1.localhost')), 'SECRET');
  t.is(await ask('sp1.localhost', to('sp2.localhost', 'sp2.localhost')), '400/50009');
  t.is(await ask('sp2.localhost', to('sp1.localhost', 'sp2.localhost')), '401/50004');
});

test('the node accepts its listening addresses and its endpoint on chain as hosts', async (t) => {
  const { ask, port, chain } = await serve(t, { domains: [] });
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'localhost', 'sp1.localhost']) {
    t.is(await ask(host), 'SECRET', host);
  }
  t.is(await ask('second.localhost'), '400/50009');
  chain.providers = [provider({ endpoint: 'https://second.localhost' }), provider({ id: 2 })];
  t.is(await ask('second.localhost'), 'SECRET');
  t.is(await ask('sp1.localhost'), '400/50009');
});

test('an operator can allow any host', async (t) => {
  const { ask } = await serve(t, { domains: [], anyHost: true });
  t.is(await ask('whatever.example.com'), 'SECRET');
});
