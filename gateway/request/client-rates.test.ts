import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { Action } from '#protocols/greenfield/types';
import { until } from '#runtime/actors/testing';
import { Proxies } from '#runtime/http/proxies';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayLimits } from '../limits.ts';
import { serveGateway } from '../server.ts';
import { OWNER, STRANGER } from '../testing/chain.ts';
import { testGateway } from '../testing/gateway.ts';
import { signedHeaders } from '../testing/signed-request.ts';

interface Asked {
  /** A loopback address to ask from. */
  readonly from?: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function serve(
  t: ExecutionContext,
  perClient: Partial<GatewayLimits['perClient']>,
  proxies = new Proxies(),
) {
  const none = { requestsPerSecond: 0, bytesPerSecond: 0 };
  const gateway = testGateway(t, { limits: { perClient: { ...none, ...perClient } }, proxies });
  const server = await serveGateway(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  const open = ({
    from = '127.0.0.1',
    method = 'GET',
    target = '/status',
    headers,
    body,
  }: Asked): ClientRequest =>
    request({
      ...{ host: '127.0.0.1', port: server.port, localAddress: from, agent: false, method, path: target },
      headers: { Host: 'sp1.localhost', ...headers },
    }).end(body);
  const ask = async (asked: Asked) => {
    const [response] = (await once(open(asked), 'response')) as [IncomingMessage];
    const code = /<Code>([0-9]+)</.exec(await text(response))?.[1];
    const { statusCode: status, headers } = response;
    return { status, code, retryAfter: headers['retry-after'] };
  };
  return { ...gateway, ask, open };
}

/** How many of many requests at once are answered, and how the others are refused. */
async function counted(asks: readonly ReturnType<Awaited<ReturnType<typeof serve>>['ask']>[]) {
  const answers = await Promise.all(asks);
  const refused = answers.filter(({ status }) => status === 429);
  return { served: answers.length - refused.length, refused };
}

test('only the client that exceeds its request rate is refused', async (t) => {
  const { ask, log } = await serve(t, { requestsPerSecond: 1 });
  const asks = Array.from({ length: 100 }, (_, i) => ask({ headers: { 'X-Forwarded-For': `10.1.1.${i}` } }));
  const { served, refused } = await counted(asks);
  t.true(served >= 5 && served < 60, `${served} of 100 were served`);
  for (const answer of refused) {
    t.is(answer.code, '960001');
    t.regex(answer.retryAfter ?? '', /^[1-9][0-9]*$/);
  }
  t.is((await ask({ from: '127.0.0.2' })).status, 200);
  t.true(log.lines.length < served + 10, `${log.lines.length} lines in the log`);
  t.true(log.lines.some(({ message }) => message === 'refused requests of clients over their rate'));
});

test('clients behind a configured proxy are distinguished by the address that it names', async (t) => {
  const { ask, log } = await serve(t, { requestsPerSecond: 1 }, new Proxies(['127.0.0.9']));
  const by = (client: string, from = '127.0.0.9') =>
    ask({ from, headers: { 'X-Forwarded-For': `10.1.1.1, ${client}` } });
  const { served } = await counted(Array.from({ length: 60 }, () => by('198.51.100.1')));
  t.true(served >= 5 && served < 50, `${served} of 60 were served`);
  t.is((await by('198.51.100.2')).status, 200);
  t.true(log.lines.some(({ client }) => client === '198.51.100.2'));
  const forged = await counted(Array.from({ length: 60 }, (_, i) => by(`198.51.100.${i + 3}`, '127.0.0.8')));
  t.true(forged.served >= 5 && forged.served < 50, `${forged.served} of 60 were served`);
});

test('an account has one share, whatever addresses it uses', async (t) => {
  const { ask } = await serve(t, { requestsPerSecond: 1 });
  const target = '/photos/a.jpg?upload-context=';
  const by = (signer: typeof OWNER, i: number) => {
    const headers = signedHeaders({ method: 'GET', target, host: 'sp1.localhost', by: signer });
    return ask({ from: `127.0.1.${i}`, target, headers });
  };
  const { served } = await counted(Array.from({ length: 60 }, (_, i) => by(OWNER, i + 1)));
  t.true(served >= 5 && served < 50, `${served} of 60 were served`);
  t.not((await by(STRANGER, 100)).status, 429);
});

test('only the client that exceeds its byte rate waits', async (t) => {
  const { ask, open, chain, pipeline } = await serve(t, { bytesPerSecond: 0.1 });
  chain.allow(OWNER, Action.CREATE_OBJECT).allow(STRANGER, Action.CREATE_OBJECT);
  const put = (signer: typeof OWNER, from: string): Asked => {
    const headers = signedHeaders({ target: '/photos/a.jpg', host: 'sp1.localhost', by: signer });
    return { from, method: 'PUT', target: '/photos/a.jpg', headers, body: '0123456789' };
  };
  const waiting = open(put(OWNER, '127.0.0.1'));
  waiting.on('error', () => {});
  await until(() => pipeline.open === 1);
  t.is((await ask({ from: '127.0.0.1' })).status, 200);
  t.is((await ask({ from: '127.0.0.2' })).status, 200);
  t.is(pipeline.open, 1);
  t.is(pipeline.taken.get('4711.0')?.length, 0);
  waiting.socket?.resetAndDestroy();
  await until(() => pipeline.open === 0);
  t.true(pipeline.failures.has('4711.0'));
});

test('a client at its limit of connections does not affect others', async (t) => {
  const gateway = testGateway(t);
  const options = { host: '127.0.0.1', port: 0, closeTimeoutMs: 0, maxPerClient: 20, log: silentLogger };
  const server = await serveGateway(gateway.app, options);
  t.teardown(() => server.close());
  const sockets: Socket[] = [];
  const closed: Socket[] = [];
  const hold = async (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, localAddress });
    sockets.push(socket);
    socket.on('error', () => {}).on('close', () => closed.push(socket));
    await once(socket, 'connect');
  };
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let i = 0; i < 30; i++) await hold('127.0.0.1');
  await until(() => closed.length === 10);
  const status = async (from: string) => {
    const options = {
      host: '127.0.0.1',
      port: server.port,
      localAddress: from,
      agent: false,
      path: '/status',
    };
    const [response] = (await once(
      request({ ...options, headers: { Host: 'sp1.localhost' } }).end(),
      'response',
    )) as [IncomingMessage];
    return response.resume().statusCode;
  };
  t.is(await status('127.0.0.2'), 200);
  await t.throwsAsync(status('127.0.0.1'));
  sockets[0]?.destroy();
  await until(() => closed.length === 11);
  while ((await status('127.0.0.1').catch(() => 0)) !== 200);
  t.pass();
});

test('connections of a configured proxy are not limited', async (t) => {
  const proxies = new Proxies(['127.0.0.9']);
  const options = { host: '127.0.0.1', port: 0, closeTimeoutMs: 0, maxPerClient: 1, proxies };
  const server = await serveGateway(testGateway(t).app, { ...options, log: silentLogger });
  t.teardown(() => server.close());
  const status = async (agent: Agent, localAddress: string) => {
    const to = { host: '127.0.0.1', port: server.port, localAddress, agent, path: '/status' };
    const [response] = (await once(
      request({ ...to, headers: { Host: 'sp1.localhost' } }).end(),
      'response',
    )) as [IncomingMessage];
    await text(response);
    return response.statusCode;
  };
  const agents = [1, 2, 3].map(() => new Agent({ keepAlive: true }));
  t.teardown(() => agents.map((agent) => agent.destroy()));
  for (const agent of agents) t.is(await status(agent, '127.0.0.9'), 200);
  const [first, second] = [1, 2].map(() => new Agent({ keepAlive: true })) as [Agent, Agent];
  t.teardown(() => [first, second].map((agent) => agent.destroy()));
  t.is(await status(first, '127.0.0.8'), 200);
  await t.throwsAsync(status(second, '127.0.0.8'));
});
