import test from 'ava';
import { Terminal } from '../errors.ts';
import { REDUNDANCY_NUMBER, redundancyFromWire } from './redundancy.ts';

test('numbers and names of today are known', (t) => {
  t.is(redundancyFromWire(0), 'EC');
  t.is(redundancyFromWire(1), 'REPLICA');
  t.is(redundancyFromWire('REDUNDANCY_EC_TYPE'), 'EC');
  t.is(redundancyFromWire('REDUNDANCY_REPLICA_TYPE'), 'REPLICA');
  t.is(redundancyFromWire(REDUNDANCY_NUMBER.EC), 'EC');
  t.is(redundancyFromWire(REDUNDANCY_NUMBER.REPLICA), 'REPLICA');
});

test('INLINE is refused by name', (t) => {
  for (const wire of [2, 'REDUNDANCY_INLINE_TYPE']) {
    const error = t.throws(() => redundancyFromWire(wire), { instanceOf: Terminal, message: /INLINE/ });
    t.is(error?.code, 'inline-redundancy');
  }
});

test('anything else is refused', (t) => {
  for (const wire of [-1, 3, 'EC', '', 'toString']) {
    const error = t.throws(() => redundancyFromWire(wire), { instanceOf: Terminal });
    t.is(error?.code, 'bad-redundancy');
  }
});
