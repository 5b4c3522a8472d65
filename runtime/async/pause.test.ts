import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { pause } from './pause.ts';

const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

test.serial('a pause ends after its time', async (t) => {
  const begin = performance.now();
  await pause(20, undefined, new AbortController().signal);
  t.true(performance.now() - begin >= 19);
});

test.serial('a pause that is cut short leaves no timer', async (t) => {
  const before = timers();
  const stop = new AbortController();
  const pausing = pause(60_000, new AbortController().signal, stop.signal);
  t.is(timers(), before + 1);
  stop.abort();
  await t.throwsAsync(pausing, { instanceOf: Cancelled });
  await t.throwsAsync(pause(60_000, stop.signal), { instanceOf: Cancelled });
  t.is(timers(), before);
});
