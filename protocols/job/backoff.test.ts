import test from 'ava';
import fc from 'fast-check';
import { backoffMs, JOB_BACKOFF } from './backoff.ts';

test('the delay starts at a second and doubles up to ten minutes; half of it is jitter', (t) => {
  const longest = (tries: number) => Math.min(600_000, 1_000 * 2 ** (tries - 1));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.float({ min: 0, max: 1, noNaN: true }),
      (tries, random) => {
        const delay = backoffMs(tries, random);
        return delay >= longest(tries) / 2 && delay <= longest(tries);
      },
    ),
  );
  t.is(backoffMs(1, 0), JOB_BACKOFF.minMs / 2);
  t.is(backoffMs(100, 1), JOB_BACKOFF.maxMs);
});
