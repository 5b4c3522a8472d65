import test from 'ava';
import { Retryable } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import type { Activity } from '#runtime/actors/types';
import { chainAway, TestChain } from '../../testing/chain.ts';
import { deny, grant, TestPeers } from '../../testing/peers.ts';
import { group } from '../../testing/providers.ts';
import { newJob } from '../../testing/stage.ts';
import { PRIMARY_TIMING } from '../ports.ts';
import { allocate } from './allocation.ts';

const { signal } = new AbortController();

function setUp(groups: readonly (readonly number[])[], job: Partial<JobContext> = {}) {
  const chain = new TestChain(groups.map((ids, i) => group(i + 1, ids)));
  const peers = new TestPeers(chain);
  const context = { ...newJob({ payloadSize: 5_000, maxSegmentSize: 1_024 }), ...job };
  const ports = { spId: 1, chain, peers, providers: async () => chain.providers, timing: PRIMARY_TIMING };
  const progress: Activity[] = [];
  const run = () => allocate(context, ports, { signal, onProgress: (line) => progress.push(line) });
  return { chain, peers, progress, run };
}

const A = [2, 3, 4, 5, 6, 7];
const B = [3, 4, 5, 6, 7, 8];

test('the first group whose members all approve is chosen, with the approvals in its order', async (t) => {
  const { peers, progress, run } = setUp([A, B]);
  peers.answer = (spId, ask) => (spId === 2 ? deny(spId, ask, 'full') : grant(spId, ask));
  const { gvgId, secondarySpIds, approvals } = await run();
  t.is(gvgId, 2);
  t.deepEqual(secondarySpIds, B);
  t.deepEqual(
    approvals.map(({ spId, redundancyIndex, message }) => [spId, redundancyIndex, message]),
    B.map((spId, index) => [spId, index, `approval of ${spId}`]),
  );
  t.is(peers.asks.length, 1, 'all are asked at once');
  t.deepEqual(progress.at(-1), {
    doing: 'approvals: 7 of 7 storage providers answered; sp 2 refused group 1: full',
  });
  t.is(progress[0]?.waitsFor?.split(', ').length, 6, 'those that are awaited are named');
});

test('groups are asked in order of free stake, and only those with room for the payload', async (t) => {
  const { chain, peers, run } = setUp([A, B, [2, 3, 4, 5, 6, 9], [2, 3, 4, 5, 6], [2, 3, 4, 5, 6, 10]]);
  chain.free.set(1, 6_000).set(2, 7_000).set(3, 4_999);
  const ten = chain.providers.findIndex(({ id }) => id === 10);
  const leaving = chain.providers[ten];
  if (leaving) chain.providers[ten] = { ...leaving, status: 'GRACEFUL_EXITING' };
  await run();
  t.deepEqual(
    peers.asks[0]?.groups.map(({ gvgId }) => gvgId),
    [2, 1],
  );
});

test('a group that failed before is chosen only when no other is complete', async (t) => {
  const { run, peers } = setUp([A, B], { excludedGvgIds: [1] });
  t.is((await run()).gvgId, 2);
  peers.answer = (spId, ask) => (spId === 8 ? undefined : grant(spId, ask));
  t.is((await run()).gvgId, 1);
  t.is((await setUp([A], { excludedGvgIds: [1] }).run()).gvgId, 1);
});

test('providers that refused or did not answer are named', async (t) => {
  const { peers, run } = setUp([A]);
  peers.answer = (spId, ask) => {
    if (spId === 4) return undefined;
    return spId === 6 ? deny(spId, ask, 'its disk is full') : grant(spId, ask);
  };
  const error = await t.throwsAsync<Retryable>(run(), { instanceOf: Retryable });
  t.is(error?.code, 'approvals-missing');
  t.regex(error?.message ?? '', /sp 6 refused group 1: its disk is full; sp 4 did not answer for group 1\./);
});

test('an approval that is about to expire does not count', async (t) => {
  const { peers, run } = setUp([A]);
  peers.answer = (spId, ask) => ({ ...grant(spId, ask), expiresAt: Date.now() + 30_000 });
  const error = await t.throwsAsync<Retryable>(run(), { code: 'approvals-missing' });
  t.regex(error?.message ?? '', /sp 2 did not answer/);
});

test('no group with room and an unavailable chain are reported as different errors', async (t) => {
  const { chain, peers, run } = setUp([A]);
  chain.free.set(1, 10);
  await t.throwsAsync(run(), { instanceOf: Retryable, code: 'no-group' });
  chain.outage = chainAway();
  await t.throwsAsync(run(), { code: 'chain-unavailable' });
  t.deepEqual(peers.asks, []);
});
