import test from 'ava';
import { Arrivals } from './arrivals.ts';

test('items are read in order until the end, and later ones are ignored', async (t) => {
  const arrivals = new Arrivals<number>();
  arrivals.push(1);
  const read = (async () => {
    const seen: number[] = [];
    for await (const value of arrivals) seen.push(value);
    return seen;
  })();
  await new Promise(setImmediate);
  arrivals.push(2);
  arrivals.push(3);
  arrivals.end();
  arrivals.push(4);
  t.deepEqual(await read, [1, 2, 3]);
});

test('a reader that is too slow misses the oldest', async (t) => {
  const arrivals = new Arrivals<number>(2);
  for (const value of [1, 2, 3]) arrivals.push(value);
  arrivals.end();
  const seen: number[] = [];
  for await (const value of arrivals) seen.push(value);
  t.deepEqual(seen, [2, 3]);
});
