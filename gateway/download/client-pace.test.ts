import test from 'ava';
import { ClientPace } from './client-pace.ts';

/** Uses fake timers. */
function pacing(t: import('ava').ExecutionContext) {
  let now = 0;
  const original = performance.now;
  performance.now = () => now;
  t.teardown(() => {
    performance.now = original;
  });
  const pace = new ClientPace({ idleTimeoutMs: 30_000, minBytesPerSecond: 16_384 });
  /** True when the client was not cut off. */
  const take = (bytes: number, ms: number) => {
    const leftMs = pace.hand(bytes);
    now += ms;
    pace.taken();
    return ms < leftMs;
  };
  return { pace, take };
}

test.serial('a steady client is never cut off, however much its socket takes at once', (t) => {
  const { take } = pacing(t);
  const rate = 30 * 1024;
  for (const bytes of [10_000, 65_536, 2 ** 20, 1_300_000]) {
    for (let i = 0; i < 100; i++) t.true(take(bytes, (bytes / rate) * 1000));
  }
});

test.serial('a client that takes a portion now and then to keep its place is cut off', (t) => {
  const { take } = pacing(t);
  let taken = 0;
  while (take(65_536, 27_000)) taken++;
  t.true(taken <= 2);
});

test.serial('a client that stops is cut off, however fast it was', (t) => {
  const { pace, take } = pacing(t);
  for (let i = 0; i < 1000; i++) take(2 ** 20, 1);
  t.is(pace.hand(1), 90_000);
});

test.serial('portions grow for a fast client and shrink for a slow one', (t) => {
  const { pace, take } = pacing(t);
  for (let i = 0; i < 5; i++) take(pace.portion, 10);
  t.is(pace.portion, Number.POSITIVE_INFINITY);
  for (let i = 0; i < 10; i++) take(65_536, 2_000);
  t.is(pace.portion, 65_536);
});
