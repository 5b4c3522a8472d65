import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { until } from '#runtime/actors/testing';
import { Gathered } from './gathered.ts';

/** A source whose answers come when the test lets them, each with the number of its request. */
function source() {
  const gathered = new Gathered<number>();
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let sent = 0;
  const ask = () => {
    sent += 1;
    const number = sent;
    return new Promise<number>((resolve, reject) => {
      waiting.push({ resolve: () => resolve(number), reject });
    });
  };
  return {
    get: (key = 'a', signal?: AbortSignal) => gathered.get(key, ask, signal),
    next: async () => {
      await until(() => waiting.length > 0);
      return waiting.shift() as (typeof waiting)[number];
    },
    sent: () => sent,
  };
}

test('many simultaneous queries become two requests, and none gets an answer from before it', async (t) => {
  const { get, next, sent } = source();
  const first = get();
  const others = Array.from({ length: 500 }, () => get());
  (await next()).resolve();
  t.is(await first, 1);
  const second = await next();
  const late = get();
  second.resolve();
  t.deepEqual(new Set(await Promise.all(others)), new Set([2]));
  (await next()).resolve();
  t.is(await late, 3);
  t.is(sent(), 3);
  const alone = get();
  (await next()).resolve();
  t.is(await alone, 4);
});

test('queries about other items do not wait', async (t) => {
  const { get, next } = source();
  const first = get('a');
  const other = get('b');
  const [a, b] = [await next(), await next()];
  b.resolve();
  t.is(await other, 2);
  a.resolve();
  t.is(await first, 1);
});

test('a request that hangs does not hold up the next', async (t) => {
  const { get, next } = source();
  const first = get();
  const second = get();
  const hanging = await next();
  (await next()).resolve();
  t.is(await second, 2);
  hanging.resolve();
  t.is(await first, 1);
});

test('neither a failed request nor a cancelled query affects the next request', async (t) => {
  const { get, next } = source();
  const first = get();
  const leaving = new AbortController();
  const [left, second, third] = [get('a', leaving.signal), get(), get()];
  leaving.abort();
  await t.throwsAsync(left, { instanceOf: Cancelled });
  (await next()).reject(new Error('down'));
  await t.throwsAsync(first, { message: 'down' });
  (await next()).resolve();
  t.deepEqual(await Promise.all([second, third]), [2, 2]);
});
