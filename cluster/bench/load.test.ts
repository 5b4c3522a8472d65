import test from 'ava';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { inParallel, patiently } from './load.ts';

test('at most the given number of tasks run at a time, in the order of the items', async (t) => {
  const begun: number[] = [];
  let [now, most] = [0, 0];
  await inParallel([1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
  });
  t.deepEqual(begun, [1, 2, 3, 4, 5]);
  t.is(most, 2);
});

test('the first failure ends the rest', async (t) => {
  const begun: number[] = [];
  const work = inParallel([1, 2, 3, 4], 2, async (item) => {
    begun.push(item);
    await new Promise((resolve) => setImmediate(resolve));
    if (item === 1) throw new Error('no');
  });
  await t.throwsAsync(work, { message: 'no' });
  await new Promise((resolve) => setImmediate(resolve));
  t.true(begun.length < 4);
});

test('a client that is refused for now comes again, and counts how often', async (t) => {
  let left = 1;
  const refused = await patiently(async () => {
    left -= 1;
    if (left >= 0) throw new Retryable({ code: 'sp-refused', message: 'later' });
  }, new AbortController().signal);
  t.is(refused, 1);
});

test('a final refusal, or an aborted call, is not retried', async (t) => {
  const never = patiently(async () => {
    throw new Terminal({ code: 'sp-refused', message: 'never' });
  }, new AbortController().signal);
  await t.throwsAsync(never, { message: 'never' });
  const stopped = patiently(async () => {
    throw new Retryable({ code: 'sp-refused', message: 'later' });
  }, AbortSignal.abort());
  await t.throwsAsync(stopped, { instanceOf: Cancelled });
});
