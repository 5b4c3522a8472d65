import test from 'ava';
import { ReplayGuard } from './replays.ts';

test('a nonce is accepted once per sender', (t) => {
  const guard = new ReplayGuard(10);
  t.true(guard.admit(1, 'a', 100, 0));
  t.false(guard.admit(1, 'a', 100, 0));
  t.true(guard.admit(2, 'a', 100, 0));
});

test('a sender with too many messages is ignored until they expire, others are not', (t) => {
  const guard = new ReplayGuard(2);
  t.true(guard.admit(1, 'a', 100, 0));
  t.true(guard.admit(1, 'b', 200, 0));
  t.false(guard.admit(1, 'c', 300, 50));
  t.true(guard.admit(2, 'c', 300, 50));
  t.true(guard.admit(1, 'c', 300, 101));
  t.false(guard.admit(1, 'b', 200, 101));
});
