import test from 'ava';
import { TokenBuckets } from './token-buckets.ts';

function buckets(perSecond: number, burst: number, maxKeys?: number) {
  const clock = { ms: 0 };
  const made = new TokenBuckets({ perSecond, burst, now: () => clock.ms, ...(maxKeys && { maxKeys }) });
  return { clock, buckets: made };
}

test('a key may use its burst, then its rate', (t) => {
  const { clock, buckets: b } = buckets(10, 3);
  t.deepEqual([b.take('a'), b.take('a'), b.take('a'), b.take('a')], [0, 0, 0, 100]);
  t.is(b.take('b'), 0);
  clock.ms = 100;
  t.is(b.take('a'), 0);
  t.is(b.take('a'), 100);
  clock.ms = 1_000_000;
  t.deepEqual([b.take('a'), b.take('a'), b.take('a'), b.take('a')], [0, 0, 0, 100]);
});

test('bytes already received are charged and paid off over time', (t) => {
  const { clock, buckets: b } = buckets(100, 500);
  t.is(b.charge('a', 500), 0);
  t.is(b.charge('a', 50), 500);
  t.is(b.charge('b', 50), 0);
  clock.ms = 500;
  t.is(b.charge('a', 0), 0);
});

test('0 means no limit', (t) => {
  const { buckets: b } = buckets(0, 0);
  t.is(b.take('a'), 0);
  t.is(b.charge('a', 1e12), 0);
  t.is(b.size, 0);
});

test('the least recently used key is dropped, so that memory is bounded', (t) => {
  const { buckets: b } = buckets(1, 1, 3);
  for (const key of ['a', 'b', 'c', 'a', 'd']) b.take(key);
  t.is(b.size, 3);
  t.is(b.take('a'), 1_000);
  t.is(b.take('b'), 0);
  for (let i = 0; i < 10_000; i++) b.take(`stranger ${i}`);
  t.is(b.size, 3);
});
