import test from 'ava';
import fc from 'fast-check';
import type { Positioned } from './journal.ts';
import { RecentEvents } from './recent-events.ts';

const eventAt = (position: number): Positioned => ({
  job: { objectId: String(1 + (position % 5)), version: 0 },
  n: position,
  writer: 'w',
  event: { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 1 },
  position,
});
const positions = (events: readonly Positioned[] | undefined) => events?.map(({ position }) => position);

test('the events behind a position are known as a whole or not at all', (t) => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(6_000), fc.nat(6_100), fc.integer({ min: 1, max: 300 }), (...drawn) => {
      const [begin, count, position, limit] = drawn;
      const recent = new RecentEvents();
      recent.beginAfter(begin);
      for (let i = 1; i <= count; i += 1) recent.add(eventAt(begin + i));
      const found = positions(recent.after(position, limit));
      const first = Math.max(begin, position) + 1;
      const expected = Array.from({ length: begin + count - first + 1 }, (_, i) => first + i).slice(0, limit);
      if (position < begin) t.is(found, undefined);
      else if (found || begin + count - position <= 1_024) t.deepEqual(found, expected);
    }),
    { numRuns: 60 },
  );
});

test('the events of a purged job are forgotten, and the others are still known', (t) => {
  const recent = new RecentEvents();
  for (let i = 1; i <= 10; i += 1) recent.add(eventAt(i));
  recent.forget(eventAt(5).job);
  t.deepEqual(positions(recent.after(3, 10)), [4, 6, 7, 8, 9]);
});

test('what was written before is not known after a new beginning', (t) => {
  const recent = new RecentEvents();
  recent.add(eventAt(1));
  recent.beginAfter(2);
  t.is(recent.after(1, 10), undefined);
  t.deepEqual(recent.after(2, 10), []);
});
