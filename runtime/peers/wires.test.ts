import test from 'ava';
import { Cancelled, Retryable } from '#protocols/errors';
import { withTimeEnough } from '#runtime/testing/time-enough';
import type { NatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import type { HttpPeerClient } from './http/client.ts';
import type { ApprovalAnswer, ApprovalAsk } from './peers.ts';
import { admittedOffer, foreignGateway, httpClient, onChain } from './testing/http.ts';
import {
  approveAll,
  approvedOffer,
  makeSample,
  type Node,
  receive,
  startNode,
  startServer,
} from './testing/peers.ts';
import { PeerWires } from './wires.ts';

/** We are SP 1. SPs 2 and 3 are on NATS, 4 and 5 have a gateway alone, 6 has neither. */
let server: NatsServer;
const nodes = new Map<number, Node>();
const stop = new AbortController();

test.before(async () => {
  server = await startServer();
  for (const id of [1, 2, 3]) nodes.set(id, await startNode(server.url, id));
  for (const id of [2, 3]) await approveAll(node(id), stop.signal);
});

test.after.always(async () => {
  stop.abort();
  for (const each of nodes.values()) await each.close();
  await server?.stop();
});

function node(spId: number): Node {
  const found = nodes.get(spId);
  if (!found) throw new Error(`no SP ${spId}`);
  return found;
}

async function start(
  t: Parameters<typeof foreignGateway>[0],
  options: Parameters<typeof httpClient>[2] = {},
) {
  const gateways = {
    2: await foreignGateway(t, 2),
    4: await foreignGateway(t, 4),
    5: await foreignGateway(t, 5),
  };
  const http = httpClient(t, gateways, options);
  const wires = new PeerWires({ nats: node(1).client, http, log: silentLogger });
  return { gateways, http, wires };
}

async function collect(
  wires: PeerWires,
  ask: ApprovalAsk,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<ApprovalAnswer[]> {
  const answers: ApprovalAnswer[] = [];
  for await (const answer of wires.ask(ask, options)) answers.push(answer);
  return answers.sort((a, b) => a.spId - b.spId);
}

/** As `collect`, with ever more time until so many SPs have granted. */
function collectWithin(wires: PeerWires, ask: ApprovalAsk, granting: number): Promise<ApprovalAnswer[]> {
  return withTimeEnough(async (timeoutMs) => {
    const answers = await collect(wires, ask, { timeoutMs });
    return answers.filter(({ granted }) => granted.length > 0).length >= granting ? answers : undefined;
  }, 1_000);
}

test.serial('each SP is reached over the wire on which it answers', async (t) => {
  const { gateways, wires } = await start(t);
  const { ask } = makeSample(1_000, 1_000, [2, 3, 4, 5]);
  const answers = await collect(wires, ask, { timeoutMs: 20_000 });
  t.deepEqual(
    answers.map(({ spId, granted, message }) => [spId, granted[0]?.redundancyIndex, message === '']),
    [
      [2, 0, false],
      [3, 1, false],
      [4, 2, true],
      [5, 3, true],
    ],
  );
  t.is(gateways[2].asked, 0);
});

test.serial('an SP that was silent on NATS is asked over HTTP first the next time', async (t) => {
  const { wires } = await start(t);
  const { ask } = makeSample(1_000, 1_000, [4, 5]);
  t.is((await collectWithin(wires, ask, 2)).length, 2);
  // the part of the time that belongs to NATS alone would be minutes
  t.is((await collect(wires, ask, { timeoutMs: 3_000_000 })).length, 2);
});

test.serial(
  'an SP that answers on neither wire counts as refused at the deadline, with the reason',
  async (t) => {
    const { wires } = await start(t);
    const { ask } = makeSample(1_000, 1_000, [2, 6]);
    const [granted, refused] = await collectWithin(wires, ask, 1);
    t.is(granted?.spId, 2);
    t.like(refused, { spId: 6, granted: [] });
    t.is(refused?.refused[0]?.code, 'peer-unreachable');
  },
);

test.serial('a refusal on NATS is not circumvented over HTTP', async (t) => {
  const { gateways, wires } = await start(t);
  const until = new AbortController();
  const serving = node(3).host.serveAsks(
    async () => ({
      spId: 3,
      expiresAt: Date.now() + 60_000,
      granted: [],
      refused: [{ gvgId: 77, code: 'draining', reason: 'r' }],
    }),
    { signal: until.signal },
  );
  t.teardown(async () => {
    until.abort();
    await serving;
  });
  await node(3).peers.flush();
  const { ask } = makeSample(1_000, 1_000, [2, 3]);
  const answers = await collect(wires, ask, { timeoutMs: 600_000 });
  t.is(answers.length, 2);
  t.is(gateways[2].asked, 0);
});

test.serial('a disabled wire is not used', async (t) => {
  const { gateways, http } = await start(t);
  const nats = node(1).client;
  const { ask } = makeSample(1_000, 1_000, [2, 4]);
  const onlyNats = await collectWithin(new PeerWires({ nats, log: silentLogger }), ask, 1);
  t.deepEqual(
    onlyNats.map(({ spId }) => spId),
    [2],
  );
  t.is(gateways[4].asked, 0);
  const onlyHttp = new PeerWires({ http, log: silentLogger });
  const answers = await collect(onlyHttp, ask, { timeoutMs: 3_000_000 });
  t.deepEqual(
    answers.map(({ spId, message }) => [spId, message]),
    [
      [2, ''],
      [4, ''],
    ],
  );
  const sample = makeSample(1_000, 1_000);
  await t.throwsAsync(onlyHttp.open(await approvedOffer(1, sample, 3), {}), {
    instanceOf: Retryable,
    code: 'peer-unreachable',
  });
});

test.serial('an ask ends with its signal, or when its reader stops', async (t) => {
  const { wires } = await start(t);
  const { ask } = makeSample(1_000, 1_000, [2, 6]);
  for await (const answer of wires.ask(ask, { timeoutMs: 3_000_000 })) {
    t.is(answer.spId, 2);
    break;
  }
  const abort = new AbortController();
  const asking = collect(wires, ask, { timeoutMs: 3_000_000, signal: abort.signal });
  abort.abort();
  await t.throwsAsync(asking, { instanceOf: Cancelled });
});

test.serial('a failing wire does not affect the other', async (t) => {
  const { http } = await start(t);
  const dead = await startNode(server.url, 7);
  await dead.close();
  const { ask } = makeSample(1_000, 1_000, [4]);
  const overHttp = new PeerWires({ nats: dead.client, http, log: silentLogger });
  t.is((await collectWithin(overHttp, ask, 1)).length, 1);
  const broken: Pick<HttpPeerClient, 'ask' | 'open'> = {
    ask: async () => {
      throw new Error('a fault of ours');
    },
    open: http.open.bind(http),
  };
  const overNats = new PeerWires({ nats: node(1).client, http: broken, log: silentLogger });
  const both = { ...ask, groups: [{ gvgId: 77, secondarySpIds: [2, 4] }] };
  t.is((await collectWithin(overNats, both, 1)).length, 1);
});

test.serial('a column uses the wire of its approval', async (t) => {
  const sample = makeSample(2_500, 1_000, [2, 3, 4, 5, 6, 7]);
  const { gateways, wires } = await start(t, { objects: [onChain(sample)] });
  const overHttp = await wires.open(admittedOffer(sample, 2), {});
  await overHttp.send({ segmentIndex: 0, bytes: sample.pieces[0] as Uint8Array });
  t.is(gateways[4].received.length, 1);
  overHttp.close();

  const until = new AbortController();
  const offers = node(2).host.offers({ limit: 1, signal: until.signal })[Symbol.asyncIterator]();
  const opening = wires.open(await approvedOffer(1, sample, 2), {});
  const held = (await offers.next()).value;
  const receiving = receive(held);
  const overNats = await opening;
  for (const [segmentIndex, bytes] of sample.pieces.entries()) await overNats.send({ segmentIndex, bytes });
  t.is((await overNats.done(sample.checksums)).approvalSignature.length, 130);
  await receiving;
  until.abort();
  overNats.close();
});
