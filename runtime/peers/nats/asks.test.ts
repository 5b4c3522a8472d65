import test from 'ava';
import { withTimeEnough } from '#runtime/testing/time-enough';
import { peersInbox } from '../../nats/accounts.ts';
import type { NatsServer } from '../../nats/server.ts';
import type { ApprovalAnswer, ApprovalAsk } from '../peers.ts';
import { approveAll, joinPlane, makeSample, type Node, startNode, startServer } from '../testing/peers.ts';

let server: NatsServer;
const nodes = new Map<number, Node>();
const stop = new AbortController();

test.before(async () => {
  server = await startServer();
  for (const id of [1, 2, 3, 4, 5]) nodes.set(id, await startNode(server.url, id));
  for (const id of [2, 3, 4]) await approveAll(node(id), stop.signal);
});

test.after.always(async () => {
  stop.abort();
  for (const each of nodes.values()) await each.close();
  await server?.stop();
});

test.serial('an ask ends when all listed SPs have answered', async (t) => {
  const { ask } = makeSample(1_000, 1_000, [2, 3, 4]);
  const answers = await collect(ask, 600_000);
  t.deepEqual(
    answers.map(({ spId, granted }) => [spId, granted]),
    [2, 3, 4].map((id) => [id, [{ gvgId: 77, redundancyIndex: id - 2 }]]),
  );
  t.true(answers.every(({ expiresAt }) => expiresAt > Date.now()));
});

test.serial('an ask ends at its deadline when an SP is silent', async (t) => {
  const { ask } = makeSample(1_000, 1_000, [2, 5, 6]);
  const answers = await collectWithin(ask);
  t.deepEqual(
    answers.map(({ spId }) => spId),
    [2],
  );
});

test.serial('an SP whose ask a hanging server got is asked again', async (t) => {
  const hanging = await joinPlane(server.url, 5);
  const swallowed = hanging.subscribe('approval.ask.*', { queue: 'approvers-of-5', max: 1 });
  await hanging.flush();
  const { ask } = makeSample(1_000, 1_000, [2, 5]);
  const asking = collect(ask, 60_000);
  for await (const _ of swallowed);
  await hanging.close();
  const until = new AbortController();
  const { ended } = await approveAll(node(5), until.signal);
  const answers = await asking;
  t.deepEqual(
    answers.map(({ spId }) => spId),
    [2, 5],
  );
  until.abort();
  await ended;
});

test.serial('an SP that is not listed is not asked, and one that has no answer stays silent', async (t) => {
  const until = new AbortController();
  const heard: ApprovalAsk[] = [];
  const serving = node(5).host.serveAsks(
    async (ask) => {
      heard.push(ask);
      return undefined;
    },
    { signal: until.signal },
  );
  await node(5).peers.flush();
  const listed = makeSample(1_000, 1_000, [2, 5]).ask;
  t.is((await collect(makeSample(1_000, 1_000, [2, 3]).ask, 60_000)).length, 2);
  t.is((await collectWithin(listed)).length, 1);
  t.deepEqual(heard[0], listed);
  until.abort();
  await serving;
});

test.serial('a refusal comes with its reason', async (t) => {
  const until = new AbortController();
  const refused = [{ gvgId: 77, code: 'draining', reason: 'this SP is going out of service' }];
  const answer = async () => ({ spId: 5, expiresAt: Date.now() + 60_000, granted: [], refused });
  const serving = node(5).host.serveAsks(answer, { signal: until.signal });
  await node(5).peers.flush();
  const [got] = await collect(makeSample(1_000, 1_000, [5]).ask, 60_000);
  t.deepEqual(got?.refused, refused);
  until.abort();
  await serving;
});

test.serial('the nodes of one SP share the asks', async (t) => {
  const second = await startNode(server.url, 2);
  const until = new AbortController();
  const { ended } = await approveAll(second, until.signal);
  const spy = node(1).peers.subscribe(`${peersInbox(1)}.>`);
  for (let i = 0; i < 10; i++) await collect(makeSample(1_000, 1_000, [2, 3]).ask, 60_000);
  await node(1).peers.flush();
  t.is(spy.getReceived(), 20);
  spy.unsubscribe();
  until.abort();
  await ended;
  await second.close();
});

test.serial('an aborted ask is Cancelled, not merely short of answers', async (t) => {
  const { ask } = makeSample(1_000, 1_000, [5]);
  await t.throwsAsync(collect(ask, 60_000, AbortSignal.timeout(50)), { name: 'Cancelled' });
  await t.throwsAsync(collect(ask, 60_000, AbortSignal.abort()), { name: 'Cancelled' });
});

/** The answers to an ask that does not get all of them, but one at least. */
function collectWithin(ask: ApprovalAsk): Promise<ApprovalAnswer[]> {
  return withTimeEnough(async (ms) => {
    const answers = await collect(ask, ms);
    return answers.length > 0 ? answers : undefined;
  }, 500);
}

function node(id: number): Node {
  return nodes.get(id) as Node;
}

async function collect(ask: ApprovalAsk, timeoutMs: number, signal?: AbortSignal): Promise<ApprovalAnswer[]> {
  const answers: ApprovalAnswer[] = [];
  const options = { timeoutMs, ...(signal && { signal }) };
  for await (const answer of node(1).client.ask(ask, options)) answers.push(answer);
  return answers.sort((a, b) => a.spId - b.spId);
}
