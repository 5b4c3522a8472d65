import test from 'ava';
import fc from 'fast-check';
import { DividedSlots } from './slots.ts';

test('one client gets at most half of the slots, and the next client is still served', (t) => {
  const slots = new DividedSlots(8, 'downloads');
  const taken = Array.from({ length: 4 }, () => slots.take(['a']));
  t.throws(() => slots.take(['a']), { code: 'gateway-busy' });
  slots.take(['b']);
  taken[0]?.();
  taken[0]?.();
  t.notThrows(() => slots.take(['a']), 'what is given back can be taken again');
});

test('a client is bounded by each of its names', (t) => {
  const slots = new DividedSlots(4, 'downloads');
  slots.take(['address-1', 'account']);
  slots.take(['address-2', 'account']);
  t.throws(() => slots.take(['address-3', 'account']), { code: 'gateway-busy' });
  t.notThrows(() => slots.take(['address-3']));
});

test('a slot is released under the names under which it was taken', (t) => {
  const slots = new DividedSlots(2, 'downloads');
  const names = ['address'];
  const giveBack = slots.take(names);
  names.push('account');
  giveBack();
  t.notThrows(() => slots.take(['account']));
});

test('whatever clients take and give back, the limit holds and a client without slots gets a free one', (t) => {
  const steps = fc.array(fc.record({ client: fc.nat(4), gives: fc.boolean() }), { maxLength: 100 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 10 }), (list, limit) => {
      const slots = new DividedSlots(limit, 'downloads');
      const held = new Map<number, (() => void)[]>();
      const total = () => [...held.values()].reduce((sum, { length }) => sum + length, 0);
      for (const { client, gives } of list) {
        const own = held.get(client) ?? [];
        held.set(client, own);
        if (gives) own.pop()?.();
        else {
          const mayTake = total() < limit && (own.length === 0 || own.length < limit - total());
          try {
            own.push(slots.take([`client ${client}`]));
            t.true(mayTake);
          } catch {
            t.false(mayTake);
          }
        }
      }
    }),
  );
});

test('a limit that becomes smaller counts for the next slot, and what is taken is kept', (t) => {
  let limit = 4;
  const slots = new DividedSlots(() => limit, 'uploads');
  const taken = ['a', 'b', 'c'].map((client) => slots.take([client]));
  limit = 2;
  t.throws(() => slots.take(['d']), { message: /^2 uploads/ });
  for (const giveBack of taken.slice(0, 2)) giveBack();
  t.notThrows(() => slots.take(['d']));
  t.throws(() => slots.take(['e']));
});
