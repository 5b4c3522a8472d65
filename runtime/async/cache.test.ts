import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { Cache } from './cache.ts';

test('concurrent callers share one load, and later ones its result', async (t) => {
  let loads = 0;
  const cache = new Cache<string, string>({
    ttlMs: 60_000,
    maxEntries: 2,
    load: async (key) => {
      loads += 1;
      return `${key}${loads}`;
    },
  });
  t.deepEqual(await Promise.all([cache.get('a'), cache.get('a')]), ['a1', 'a1']);
  t.is(await cache.get('a'), 'a1');
  t.is(await cache.get('b'), 'b2');
});

test('the entry used least recently is evicted when there are too many', async (t) => {
  let loads = 0;
  const cache = new Cache<string, number>({ ttlMs: 60_000, maxEntries: 2, load: async () => ++loads });
  await cache.get('a');
  await cache.get('b');
  t.is(await cache.get('a'), 1);
  await cache.get('c');
  t.is(await cache.get('a'), 1);
  t.is(await cache.get('b'), 4);
});

test('an expired entry is loaded again', async (t) => {
  let loads = 0;
  const cache = new Cache<string, number>({ ttlMs: 10, maxEntries: 2, load: async () => ++loads });
  t.is(await cache.get('a'), 1);
  while ((await cache.get('a')) === 1) await sleep(5);
  t.is(loads, 2);
});

test('a failure is not cached', async (t) => {
  let loads = 0;
  const cache = new Cache<string, number>({
    ttlMs: 60_000,
    maxEntries: 2,
    load: async () => {
      loads += 1;
      if (loads === 1) throw new Error('first');
      return loads;
    },
  });
  await t.throwsAsync(cache.get('a'), { message: 'first' });
  t.is(await cache.get('a'), 2);
});

test('a caller that gives up does not cancel the load for others', async (t) => {
  let finish = (_: string) => {};
  const cache = new Cache<string, string>({
    ttlMs: 60_000,
    maxEntries: 2,
    load: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  });
  const caller = new AbortController();
  const given = cache.get('a', caller.signal);
  const patient = cache.get('a');
  caller.abort();
  await t.throwsAsync(given, { instanceOf: Cancelled });
  finish('done');
  t.is(await patient, 'done');
  await t.throwsAsync(cache.get('a', caller.signal), { instanceOf: Cancelled });
});
