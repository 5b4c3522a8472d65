import test from 'ava';
import fc from 'fast-check';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { Restarts, restartDelayMs } from './restarts.ts';
import { row } from './testing.ts';

const retryable = new Retryable({ code: 'x', message: 'x' });

test('each kind of error gets its own directive', (t) => {
  const restarts = new Restarts(row({ retryable: 'resume', terminal: 'escalate', cancelled: 'stop' }));
  t.deepEqual(restarts.judge(retryable, true, 0, 0), { directive: 'resume' });
  t.deepEqual(restarts.judge(new Terminal({ code: 'x', message: 'x' }), true, 0, 0), {
    directive: 'escalate',
  });
  t.deepEqual(restarts.judge(new Cancelled({ code: 'x', message: 'x' }), true, 0, 0), { directive: 'stop' });
  t.is(restarts.total, 0);
});

test('resume without a state is a restart', (t) => {
  const restarts = new Restarts(row({ retryable: 'resume' }));
  t.is(restarts.judge(retryable, false, 0, 0).directive, 'restart');
  t.is(restarts.total, 1);
});

test('more restarts than the limit within the window are a permanent failure, and old ones do not count', (t) => {
  const restarts = new Restarts(row({ restarts: { limit: 2, withinMs: 100, beyond: 'escalate' } }));
  const at = (now: number) => restarts.judge(retryable, true, now, 0).directive;
  t.deepEqual([at(0), at(50), at(99)], ['restart', 'restart', 'escalate']);
  t.is(at(100), 'restart');
  t.is(at(120), 'escalate');
  t.is(restarts.total, 3);
});

test('the pause grows with the restarts within the window, unless the error sets it', (t) => {
  const restarts = new Restarts(row({ backoff: { minMs: 10, maxMs: 35 } }));
  const pause = (error: Retryable, now = 0) => {
    const verdict = restarts.judge(error, true, now, 0.5);
    return verdict.directive === 'restart' ? verdict.delayMs : undefined;
  };
  t.deepEqual([pause(retryable), pause(retryable), pause(retryable)], [5, 10, 17.5]);
  t.is(pause(new Retryable({ code: 'x', message: 'x', retryAfterMs: 1234 })), 1234);
  t.is(pause(retryable, 60_000), 5);
});

test('a pause is between zero and the capped exponential', (t) => {
  const numbers = { n: fc.nat(2000), minMs: fc.nat(10_000), maxMs: fc.nat(10_000_000) };
  fc.assert(
    fc.property(
      fc.record({ ...numbers, random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) }),
      ({ n, minMs, maxMs, random }) => {
        const pause = restartDelayMs(n, { minMs, maxMs }, random);
        return pause >= 0 && pause <= maxMs && pause <= minMs * 2 ** Math.min(n, 60);
      },
    ),
  );
  t.pass();
});
