import test from 'ava';
import { changesBetween } from './change.ts';
import { Fragments } from './fragments.tsx';

function fragments(note: string, rows: Readonly<Record<string, string>>): Fragments {
  const live = new Fragments();
  live.part('note', <b>{note}</b>);
  live.list(
    'rows',
    Object.entries(rows).map(([key, text]) => [key, <li id={key}>{text}</li>]),
  );
  return live;
}

test('the first change has everything', (t) => {
  t.deepEqual(changesBetween(undefined, fragments('x', { a: '1' }), 7), {
    at: 7,
    parts: { note: '<b>x</b>' },
    lists: { rows: { order: ['a'], rows: { a: '<li id="a">1</li>' } } },
  });
});

test('only changed rows are sent, with the order where it differs', (t) => {
  const before = fragments('x', { a: '1', b: '2' });
  t.is(changesBetween(before, fragments('x', { a: '1', b: '2' }), 7), undefined);
  t.deepEqual(changesBetween(before, fragments('x', { a: '1', b: '3' }), 7)?.lists, {
    rows: { rows: { b: '<li id="b">3</li>' } },
  });
  t.deepEqual(changesBetween(before, fragments('x', { b: '2', a: '1' }), 7)?.lists, {
    rows: { order: ['b', 'a'], rows: {} },
  });
  t.deepEqual(changesBetween(before, fragments('x', { b: '2' }), 7)?.lists, {
    rows: { order: ['b'], rows: {} },
  });
});

test('text is escaped', (t) => {
  const change = changesBetween(undefined, fragments('<script>', { a: '"&' }), 7);
  t.is(change?.parts.note, '<b>&lt;script&gt;</b>');
  t.is(change?.lists.rows?.rows.a, '<li id="a">&quot;&amp;</li>');
});
