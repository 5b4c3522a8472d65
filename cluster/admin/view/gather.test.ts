import test from 'ava';
import type { RollCall } from '#runtime/home/home';
import { reportOf, treeOf } from '../testing/view.ts';
import { Gatherer } from './gather.ts';
import type { KnownNodes } from './known-nodes.ts';

function gatherer(answers: ReadonlyMap<string, unknown>, names: () => Promise<readonly string[]>) {
  const rollCall: RollCall = { serve: () => ({ stop: () => undefined }), ask: async () => answers };
  const inspect = {
    serve: () => ({ stop: async () => undefined }),
    read: async () => [...answers.keys()].map((name) => treeOf(name)),
  };
  return new Gatherer({ rollCall, inspect, known: { names } as unknown as KnownNodes });
}

test('nodes that were started and do not answer are named', async (t) => {
  const answers = new Map([['sp-1@b', reportOf('sp-1@b')]]);
  const all = gatherer(answers, async () => ['sp-1@a', 'sp-1@b']);
  const { reports, silent } = await all.reports();
  t.deepEqual(
    reports.map(({ node }) => node),
    ['sp-1@b'],
  );
  t.deepEqual(silent, ['sp-1@a']);
  t.deepEqual((await all.trees()).silent, ['sp-1@a']);
});

test('without the ledger those that answer are shown', async (t) => {
  const answers = new Map([['sp-1@b', reportOf('sp-1@b')]]);
  const all = gatherer(answers, () => Promise.reject(new Error('down')));
  t.like(await all.reports(), { silent: [] });
  t.is((await all.reports()).reports.length, 1);
});

test('a report of another version that cannot be read counts as silent, and does not hide the others', async (t) => {
  const answers = new Map<string, unknown>([
    ['sp-1@a', { node: 'sp-1@a' }],
    ['sp-1@b', reportOf('sp-1@b')],
  ]);
  const { reports, silent } = await gatherer(answers, async () => []).reports();
  t.is(reports.length, 1);
  t.deepEqual(silent, ['sp-1@a']);
});
