import test from 'ava';
import { mean, median, quantile } from './statistics.ts';

test('the median is the middle value, or between the two in the middle', (t) => {
  t.is(median([5, 1, 3]), 3);
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([7]), 7);
  t.deepEqual(median([]), Number.NaN);
});

test('a quantile is a value that was measured', (t) => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  t.is(quantile(hundred, 0.99), 99);
  t.is(quantile(hundred, 0.5), 50);
  t.is(quantile(hundred, 1), 100);
  t.is(quantile(hundred, 0), 1);
  t.is(quantile([3], 0.5), 3);
});

test('the mean', (t) => t.is(mean([1, 2, 6]), 3));
