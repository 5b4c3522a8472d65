import test from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { replay } from '#protocols/job/evolve';
import type { TreeNode } from '#runtime/actors/types';
import { historyOf } from '#runtime/records/records.contract';
import { treeOf } from '../testing/view.ts';
import { jobViewOf } from './job.ts';

const JOB = { objectId: '4711', version: 0 };

function viewOf(events: readonly JobEvent[], trees: readonly TreeNode[] = []) {
  const context = replay(events);
  if (!context) throw new Error('no job');
  return jobViewOf({ context, events, trees });
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

test('who refused or did not answer is named with the reason, until a group is found', (t) => {
  const failure = {
    code: 'approvals-missing',
    message:
      'No virtual group was approved by all of its members: sp 4 refused group 5: it is full; sp 6 did not answer for group 5.',
    attempt: 1,
    resume: 'ALLOC_SECONDARY_DOING',
  } as const;
  const before = historyOf(JOB, 1_000);
  const failed: JobEvent[] = [...before.slice(0, 4), { type: 'AllocationFailed', at: 9, failure }];
  t.deepEqual(viewOf(failed).approvals, [
    { spId: 4, approved: false, reason: 'refused group 5: it is full', at: 9 },
    { spId: 6, approved: false, reason: 'did not answer', at: 9 },
  ]);
  t.deepEqual(viewOf(before).approvals, []);
});
