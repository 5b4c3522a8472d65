import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { type ForeignGateway, foreignGateway, httpClient } from '../testing/http.ts';
import { makeSample, operatorKey, PROVIDERS } from '../testing/peers.ts';

const SP = 3;
const NEVER = new AbortController().signal;

test('an SP that is reachable, in service and up to date is approved for all its memberships, for a while', async (t) => {
  const gateway = await foreignGateway(t, SP);
  const { ask } = makeSample(1_000, 1_000);
  const groups = [
    ...ask.groups,
    { gvgId: 78, secondarySpIds: [4, 5, SP] },
    { gvgId: 79, secondarySpIds: [4] },
  ];
  const answer = await httpClient(t, { [SP]: gateway }).ask({ ...ask, groups }, SP, NEVER);
  t.deepEqual(answer.granted, [
    { gvgId: 77, redundancyIndex: 1 },
    { gvgId: 78, redundancyIndex: 2 },
  ]);
  t.like(answer, { spId: SP, refused: [], message: '' });
  t.true(answer.expiresAt > Date.now() + 600_000);
});

test('an SP that was admitted is not asked for every object, one that was refused is', async (t) => {
  const gateway = await foreignGateway(t, SP);
  const client = httpClient(t, { [SP]: gateway });
  const { ask } = makeSample(1_000, 1_000);
  const good = gateway.status;
  gateway.status = { ...good, takesPieces: false };
  t.is((await client.ask(ask, SP, NEVER)).refused[0]?.code, 'wire-off');
  gateway.status = good;
  const answers = await Promise.all([1, 2, 3].map(() => client.ask(ask, SP, NEVER)));
  t.true(answers.every(({ granted }) => granted.length > 0));
  t.true((await client.ask(ask, SP, NEVER)).granted.length > 0);
  t.is(gateway.asked, 2);
});

test('the trace of an ask is carried to the SP, and not to others that share its answer', async (t) => {
  const gateway = await foreignGateway(t, SP);
  const { ask } = makeSample(1_000, 1_000);
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await httpClient(t, { [SP]: gateway }).ask({ ...ask, trace }, SP, NEVER);
  t.is(gateway.trace, trace);
  await httpClient(t, { [SP]: gateway }).ask(ask, SP, NEVER);
  t.is(gateway.trace, undefined);
});

test('a caller that stops waiting for the status of an SP does not affect the others', async (t) => {
  const gateway = await foreignGateway(t, SP);
  const client = httpClient(t, { [SP]: gateway });
  const { ask } = makeSample(1_000, 1_000);
  const leaving = new AbortController();
  const left = client.ask(ask, SP, leaving.signal);
  const other = client.ask(ask, SP, NEVER);
  leaving.abort();
  await t.throwsAsync(left, { instanceOf: Cancelled });
  t.true((await other).granted.length > 0);
});

test('an SP is refused with the reason', async (t) => {
  const gateway = await foreignGateway(t, SP);
  const good = gateway.status;
  const refusals: [Partial<ForeignGateway['status']>, string, RegExp][] = [
    [{ blockTime: Date.now() - 600_000 }, 'chain-lag', /6[0-9][0-9] s behind/],
    [{ blockTime: 0 }, 'chain-lag', /behind/],
    [{ takesPieces: false }, 'wire-off', /HTTP/],
    [{ chainId: 'greenfield_1-1' }, 'wrong-chain', /greenfield_1-1/],
    [{ operatorAddress: operatorKey(4).address }, 'wrong-sp', /0x/],
  ];
  const client = httpClient(t, { [SP]: gateway });
  for (const [status, code, reason] of refusals) {
    gateway.status = { ...good, ...status };
    const { refused, granted } = await client.ask(makeSample(1_000, 1_000).ask, SP, NEVER);
    t.deepEqual(granted, []);
    t.is(refused[0]?.code, code);
    t.is(refused[0]?.gvgId, 77);
    t.regex(refused[0]?.reason ?? '', reason);
  }
});

test('an SP that is not in service or not on chain is not asked', async (t) => {
  const gateway = await foreignGateway(t, SP);
  const { endpoint } = gateway;
  const providers = async () => [
    { ...PROVIDERS[SP - 1], endpoint, status: 'IN_JAILED' } as (typeof PROVIDERS)[0],
  ];
  const client = httpClient(t, {}, { providers });
  const { ask } = makeSample(1_000, 1_000);
  t.is((await client.ask(ask, SP, NEVER)).refused[0]?.code, 'not-in-service');
  t.is((await client.ask(ask, 4, NEVER)).refused[0]?.code, 'sp-unknown');
  t.is(gateway.asked, 0);
});

test('an address without an SP is refused: an error, another page, nobody', async (t) => {
  const { ask } = makeSample(1_000, 1_000);
  let status = 404;
  const server = createServer((_, response) =>
    response.writeHead(status).end('<Error><Code>50008</Code></Error>'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = httpClient(t, { [SP]: { endpoint } });
  const code = async () => (await client.ask(ask, SP, NEVER)).refused[0]?.code;
  t.is(await code(), 'status-refused');
  status = 200;
  t.is(await code(), 'bad-sp-status');
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  t.is(await code(), 'peer-unreachable');
});
