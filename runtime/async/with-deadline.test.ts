import { getEventListeners } from 'node:events';
import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { withDeadline } from './with-deadline.ts';

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

test('a task ends at its deadline or with any of the signals', async (t) => {
  await t.throwsAsync(withDeadline(5, [undefined], untilAborted), { message: /within 5 ms/ });
  await t.throwsAsync(withDeadline(60_000, [AbortSignal.abort()], untilAborted), { instanceOf: Cancelled });
  const caller = new AbortController();
  const running = withDeadline(60_000, [undefined, caller.signal], untilAborted);
  caller.abort();
  await t.throwsAsync(running, { instanceOf: Cancelled });
});

test('no listener is left on a signal that outlives the task', async (t) => {
  const { signal } = new AbortController();
  t.is(await withDeadline(60_000, [signal], async () => getEventListeners(signal, 'abort').length), 1);
  await t.throwsAsync(withDeadline(60_000, [signal], () => Promise.reject(new Error('failed'))));
  t.is(getEventListeners(signal, 'abort').length, 0);
});
