import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { NatsServer } from '../../../nats/server.ts';
import type { ApprovalAnswer, ApprovalAsk, InboundOffer } from '../../peers.ts';
import {
  approvedOffer,
  digest,
  makeSample,
  type Node,
  receive,
  replicate,
  type Sample,
  startNode,
  startServer,
} from '../../testing/peers.ts';
import { STANDING } from '../limits.ts';

let server: NatsServer;
let primary: Node;
let secondary: Node;
/** What the secondary was asked, and whether it approves. */
let asked: ApprovalAsk[];
let approves: boolean;
const stop = new AbortController();

test.before(async () => {
  server = await startServer();
});

test.beforeEach(async () => {
  asked = [];
  approves = true;
  primary = await startNode(server.url, 1);
  secondary = await startNode(server.url, 2);
  void secondary.host.serveAsks(
    async (ask) => {
      asked.push(ask);
      const place = { gvgId: 77, redundancyIndex: 0 };
      const refusal = { gvgId: 77, code: 'disk-reserve', reason: 'No room.' };
      const expiresAt = Date.now() + 900_000;
      return { spId: 2, expiresAt, granted: approves ? [place] : [], refused: approves ? [] : [refusal] };
    },
    { signal: stop.signal },
  );
  void takeAll();
  await secondary.peers.flush();
});

test.afterEach.always(async () => {
  await primary?.close();
  await secondary?.close();
});

test.after.always(async () => {
  stop.abort();
  await server?.stop();
});

test.serial('small columns after the first are offered without an ask', async (t) => {
  await untilStanding();
  const before = asked.length;
  for (let i = 0; i < 3; i += 1) {
    const sample = small();
    const approval = await approvalFor(sample);
    t.is((await replicateWith(sample, approval)).integrityHash, digest(sample.pieces));
  }
  t.is(asked.length, before);
});

test.serial('a larger object is asked for by itself', async (t) => {
  await untilStanding();
  const before = asked.length;
  const { ask } = makeSample(1_000_000, 1_000_000, [2]);
  await ofOne(ask);
  t.deepEqual(asked.slice(before), [ask]);
});

test.serial('a standing approval is good for so many columns and for its place alone', async (t) => {
  const approval = await untilStanding();
  const elsewhere = small();
  const offer = { ...(await approvedOffer(1, elsewhere, 2)), approval, redundancyIndex: 1 };
  await t.throwsAsync(replicate(primary, offer, elsewhere), { message: /approval-not-granted/ });
  const columns = Array.from({ length: STANDING.columns }, small);
  await Promise.all(columns.map((sample) => replicateWith(sample, approval)));
  const last = small();
  await t.throwsAsync(replicateWith(last, approval), { name: 'Retryable', message: /approval-spent/ });
});

test.serial('after a failure the next object is asked for again', async (t) => {
  await primary.close();
  primary = await startNode(server.url, 1, { times: { offer: 2_400 } });
  const approval = await untilStanding();
  await secondary.close();
  await t.throwsAsync(replicateWith(small(), approval), { code: 'peer-unreachable' });
  const answers = primary.client.ask(small().ask, { timeoutMs: 200 });
  for await (const answer of answers) t.fail(`SP ${answer.spId} cannot have answered`);
  t.pass();
});

test.serial('a member that has no room gives no standing approval', async (t) => {
  approves = false;
  await ofOne(small().ask);
  while (!asked.some(({ standing }) => standing)) await sleep(5);
  await primary.peers.flush();
  const answer = await ofOne(small().ask);
  t.deepEqual(
    answer?.refused.map(({ code }) => code),
    ['disk-reserve'],
  );
});

function small(): Sample {
  return makeSample(1_000, 1_000, [2]);
}

/** The first object is asked for by itself; meanwhile a standing approval is. @returns that approval */
async function untilStanding(): Promise<string> {
  const first = (await ofOne(small().ask))?.message;
  for (;;) {
    const { message = '' } = (await ofOne(small().ask)) ?? {};
    const again = (await ofOne(small().ask))?.message;
    if (message !== first && message === again) return message;
    await sleep(5);
  }
}

async function ofOne(ask: ApprovalAsk): Promise<ApprovalAnswer | undefined> {
  for await (const answer of primary.client.ask(ask, { timeoutMs: 60_000 })) return answer;
  return undefined;
}

async function approvalFor({ ask }: Sample): Promise<string> {
  return (await ofOne(ask))?.message ?? '';
}

async function replicateWith(sample: Sample, approval: string) {
  return replicate(primary, { ...(await approvedOffer(1, sample, 2)), approval }, sample);
}

async function takeAll(): Promise<void> {
  const take = async (held: InboundOffer) => void (await receive(held));
  for await (const held of secondary.host.offers({ limit: 300, signal: stop.signal })) void take(held);
}
