import test from 'ava';
import type { TreeNode } from '#runtime/actors/types';
import { actorId, formatOpen, parseOpen, toggled } from './open-actors.ts';
import { MATCHES_SHOWN, type TreeRow, treeRows } from './rows.ts';

const NOW = 1_000_000;
const NO_FILTER = { text: '', kind: '', waitsMs: 0 };

function actor(path: string, children: readonly TreeNode[] = [], more: Partial<TreeNode> = {}): TreeNode {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { name, path, kind: 'object', status: 'running', restarts: 0, mailbox: 0, children, ...more };
}

function waiting(path: string, ms: number): TreeNode {
  return actor(path, [], {
    activity: { doing: 'replicating', waitsFor: 'credit from SP 4', since: NOW - ms },
  });
}

const MANY = actor('n', [
  actor(
    'n/objects',
    Array.from({ length: 250 }, (_, i) => waiting(`n/objects/${i}`, i * 1_000)),
  ),
  actor('n/signer', [], { kind: 'signer' }),
]);

function lines(rows: readonly TreeRow[]): readonly string[] {
  return rows.map((row) => `${row.level} ${row.type === 'actor' ? row.node.name : `${row.hidden} more`}`);
}

test('at first each node shows its top actors, and nothing below', (t) => {
  t.deepEqual(lines(treeRows([MANY], parseOpen(''), NO_FILTER, NOW).rows), ['1 n', '2 objects', '2 signer']);
});

test('an open actor shows its first hundred children, and more on request', (t) => {
  let open = toggled(parseOpen(''), actorId('n/objects'));
  const shown = lines(treeRows([MANY], open, NO_FILTER, NOW).rows);
  t.is(shown.length, 104);
  t.is(shown[102], '3 150 more');
  const { rows } = treeRows([MANY], open, NO_FILTER, NOW);
  const more = rows.find((row) => row.type === 'more');
  open = toggled(open, more?.type === 'more' ? (more.toggle ?? '') : '');
  t.is(lines(treeRows([MANY], open, NO_FILTER, NOW).rows)[202], '3 50 more');
  t.deepEqual(parseOpen(formatOpen(open)), open);
  t.is(treeRows([MANY], toggled(open, actorId('n/objects')), NO_FILTER, NOW).rows.length, 3);
});

test('a filter shows the actors that match below those that they belong to', (t) => {
  const find = (filter: Partial<typeof NO_FILTER>) =>
    lines(treeRows([MANY], parseOpen(''), { ...NO_FILTER, ...filter }, NOW).rows);
  t.deepEqual(find({ text: 'SIGN' }), ['1 n', '2 signer']);
  t.deepEqual(find({ kind: 'signer' }), ['1 n', '2 signer']);
  t.deepEqual(find({ waitsMs: 247_500 }), ['1 n', '2 objects', '3 248', '3 249']);
  t.deepEqual(find({ text: 'credit from sp 4', waitsMs: 248_500 }), ['1 n', '2 objects', '3 249']);
  t.deepEqual(find({ text: 'nothing' }), []);
});

test('a filter shows a bounded number of actors, and how many there are', (t) => {
  const tree = actor(
    'n',
    Array.from({ length: 1_000 }, (_, i) => actor(`n/${i}`)),
  );
  const { rows, count, total } = treeRows([tree], parseOpen(''), { ...NO_FILTER, kind: 'object' }, NOW);
  t.is(rows.length, MATCHES_SHOWN + 1);
  t.deepEqual([count, total], [1_001, 1_001]);
  t.like(rows.at(-1), { type: 'more', hidden: 801 });
});

test('an address with other things in it opens nothing', (t) => {
  for (const text of ['x', '..', 'a~3', '<script>', 'a0123456789abc~']) t.is(parseOpen(text).size, 0, text);
  t.is(parseOpen(Array.from({ length: 500 }, (_, i) => actorId(String(i))).join('.')).size, 100);
});
