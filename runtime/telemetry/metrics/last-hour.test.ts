import test from 'ava';
import { MinuteSeries, type Totals } from './last-hour.ts';

const MINUTE = 60_000;
const NONE: Totals = { uploads: 0, bytesIn: 0, bytesOut: 0, seals: 0, errors: {} };

function series(start: number) {
  const totals = { ...NONE, errors: {} as Record<string, number> };
  return {
    totals,
    minutes: new MinuteSeries(() => ({ ...totals, errors: { ...totals.errors } }), start),
  };
}

test('what is added in a minute is in the bucket of that minute', (t) => {
  const { totals, minutes } = series(100 * MINUTE);
  totals.uploads = 3;
  minutes.sample(101 * MINUTE + 5);
  totals.uploads = 4;
  totals.errors['gateway-busy'] = 2;
  const { since, uploads, errors } = minutes.report(101 * MINUTE + 30_000);
  t.is(since, 42 * MINUTE);
  t.is(uploads.length, 60);
  t.deepEqual(uploads.slice(-3), [0, 3, 1]);
  t.deepEqual(errors['gateway-busy']?.slice(-2), [0, 2]);
});

test('asking for a report counts nothing twice', (t) => {
  const { totals, minutes } = series(0);
  totals.bytesIn = 10;
  minutes.report(1_000);
  totals.bytesIn = 25;
  t.is(minutes.report(2_000).bytesIn.at(-1), 25);
  t.deepEqual(minutes.report(MINUTE).bytesIn.slice(-2), [25, 0]);
});

test('an hour later nothing of it is left, and what was added while nobody sampled counts once', (t) => {
  const { totals, minutes } = series(0);
  totals.seals = 1;
  totals.errors.a = 1;
  minutes.sample(MINUTE);
  totals.seals = 8;
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  t.is(total(minutes.report(30 * MINUTE).seals), 8);
  const later = minutes.report(91 * MINUTE);
  t.is(total(later.seals), 0);
  t.deepEqual(later.errors, {});
});
