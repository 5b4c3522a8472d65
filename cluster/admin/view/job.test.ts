import test from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { replay } from '#protocols/job/evolve';
import type { TreeNode } from '#runtime/actors/types';
import { historyOf } from '#runtime/records/records.contract';
import { treeOf } from '../testing/view.ts';
import { jobViewOf } from './job.ts';

const JOB = { objectId: '4711', version: 0 };

function factsOf(events: readonly JobEvent[]) {
  const context = replay(events);
  if (!context) throw new Error('no job');
  return { context, events };
}

function viewOf(events: readonly JobEvent[], trees: readonly TreeNode[] = []) {
  return jobViewOf({ ...factsOf(events), trees });
}

function actor(name: string, children: readonly TreeNode[] = []): TreeNode {
  return { ...treeOf(name, children), kind: 'object', activity: { doing: `works on ${name}`, since: 5 } };
}

test('each column has its receipt, or what its replicator is doing', (t) => {
  const object = actor('object/4711.0', [actor('replicator/1')]);
  const trees = [treeOf('sp-1@a', [treeOf('objects', [object, actor('object/4712.0')])])];
  const { columns, actors } = viewOf(historyOf(JOB, 1_000), trees);
  t.is(actors.length, 1);
  t.is(columns.length, 6);
  t.like(columns[0], {
    spId: 2,
    state: 'stored',
    completedAt: 1_006,
    receipt: { blsSignature: { checked: true } },
  });
  t.like(columns[1], { spId: 3, state: 'moving', activity: { doing: 'works on replicator/1' } });
  t.like(columns[2], { spId: 4, state: 'waiting' });
});

const UNWILLING = 'sp 4 refused group 5: it is full; sp 6 did not answer for group 5';
const ALLOCATED = historyOf(JOB, 1_000);

function failed(at: number): JobEvent {
  const message = `No virtual group was approved by all of its members: ${UNWILLING}.`;
  const failure = {
    code: 'approvals-missing',
    message,
    attempt: 1,
    resume: 'ALLOC_SECONDARY_DOING',
  } as const;
  return { type: 'AllocationFailed', at, failure };
}

test('who refused or did not answer is named with the reason, until a group is found', (t) => {
  const before = ALLOCATED.slice(0, 4);
  const named = [
    { spId: 4, gvgId: 5, approved: false, reason: 'it is full', at: 9 },
    { spId: 6, gvgId: 5, approved: false, reason: 'did not answer', silent: true, at: 9 },
  ];
  t.deepEqual(viewOf([...before, failed(9)]).approvals, named);
  const again: JobEvent = { type: 'AllocationStarted', at: 20 };
  t.deepEqual(viewOf([...before, failed(9), again]).approvals, named, 'while they are asked again');
  t.deepEqual(viewOf(ALLOCATED).approvals, []);
});

test('those that refuse are named while others are still awaited', (t) => {
  const object: TreeNode = {
    ...actor('object/4711.0'),
    activity: {
      doing: 'approvals: 5 of 6 storage providers answered; sp 4 refused group 9: it is full',
      waitsFor: 'sp 3',
      since: 7,
    },
  };
  const { approvals, why } = jobViewOf({
    ...factsOf(historyOf(JOB, Date.now()).slice(0, 4)),
    trees: [treeOf('sp-1@a', [treeOf('objects', [object])])],
    owner: { node: 'a', state: 'ALLOC_SECONDARY_DOING', since: 3 },
  });
  t.deepEqual(approvals, [{ spId: 4, gvgId: 9, approved: false, reason: 'it is full', at: 7 }]);
  t.regex(why, /5 of 6 storage providers answered; sp 4 refused group 9: it is full, awaited: sp 3\.$/);
});

test('a column says how fast it is: while it is sent, and once it is stored', (t) => {
  const since = Date.now() - 2_000;
  const progress = { done: 5, total: 4_096, unit: 'segments', from: 3 } as const;
  const sending = { ...actor('replicator/1'), activity: { doing: 'sending', since, progress } };
  const object = { ...actor('object/4711.0'), children: [sending] };
  const { columns } = viewOf(ALLOCATED, [treeOf('sp-1@a', [treeOf('objects', [object])])]);
  const pieces = (2 * 16 * 2 ** 20) / 4;
  t.true((columns[1]?.bytesPerSecond ?? 0) > 0);
  t.true((columns[1]?.bytesPerSecond ?? 0) <= pieces / 2);
  t.is(columns[0]?.bytesPerSecond, 16 * 2 ** 30 * 1_000);
  t.is(columns[2]?.bytesPerSecond, undefined);
});
