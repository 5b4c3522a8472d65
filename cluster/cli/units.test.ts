import test from 'ava';
import type { TreeNode } from '#runtime/actors/types';
import { treeLines } from './tree-view.ts';
import { duration, exactSize, rate, size, timestamp } from './units.ts';

test('sizes, durations and rates are human-readable', (t) => {
  t.deepEqual([1, 500, 1024, 16 * 2 ** 20, 3 * 2 ** 30].map(size), [
    '1 byte',
    '500 bytes',
    '1.0 KiB',
    '16.0 MiB',
    '3.0 GiB',
  ]);
  t.deepEqual([-5, 840, 12_340, 240_000, 9_000_000].map(duration), [
    '0 ms',
    '840 ms',
    '12.3 s',
    '4 min',
    '2.5 h',
  ]);
  t.is(timestamp(1_795_746_896), '2026-11-27 02:34Z');
  t.is(exactSize(2 ** 24 + 1), '16.0 MiB (16777217 bytes)');
  t.is(exactSize(7), '7 bytes');
  t.is(rate(100_000_000, 1_000), '100.0 MB/s');
});

test('the tree shows what each actor does and what it waits for', (t) => {
  const leaf: TreeNode = {
    name: 'replicator/2',
    path: 'sp-1@a/objects/object/1.0/replicator/2',
    kind: 'replicator',
    status: 'running',
    restarts: 1,
    mailbox: 0,
    children: [],
    activity: {
      doing: 'sending column 2 to sp 4',
      waitsFor: 'credit of sp 4',
      since: 1_000,
      nextTryAt: 5_000,
      progress: { done: 3, total: 13, unit: 'segments' },
    },
    lastError: { code: 'peer-stalled', message: 'sp 4 gave no credit', at: 500 },
  };
  const plain = { kind: 'objects', status: 'running', restarts: 0, mailbox: 0 } as const;
  const object: TreeNode = { ...plain, name: 'objects', path: 'sp-1@a/objects', children: [leaf] };
  const root: TreeNode = {
    ...plain,
    name: 'sp-1@a',
    path: 'sp-1@a',
    children: [object, { ...object, name: 'jobs', children: [] }],
  };
  t.deepEqual(treeLines(root, 3_000), [
    'sp-1@a',
    '├── objects',
    '│   └── replicator/2  sending column 2 to sp 4, 3 of 13 segments, waits for credit of sp 4, for 2.0 s, next try in 2.0 s, 1 restart, last error 2.5 s ago: sp 4 gave no credit',
    '└── jobs',
  ]);
});
