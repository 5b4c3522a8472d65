import test from 'ava';
import { ReusedMemory } from './reused-memory.ts';

const KIB = 1024;

test('what is given back is taken again for the same length only', (t) => {
  const memory = new ReusedMemory(1024 * KIB);
  const [first, second] = [memory.take(100 * KIB), memory.take(200 * KIB)];
  t.not(memory.take(100 * KIB), first);
  memory.giveBack([first, second]);
  t.is(memory.take(300 * KIB).length, 300 * KIB);
  t.is(memory.take(200 * KIB), second);
  t.is(memory.take(100 * KIB), first);
  t.not(memory.take(100 * KIB), first);
});

test('no more is kept than the limit, and nothing small', (t) => {
  const memory = new ReusedMemory(250 * KIB);
  const taken = Array.from({ length: 3 }, () => memory.take(100 * KIB));
  const small = memory.take(10);
  memory.giveBack([...taken, small]);
  const again = Array.from({ length: 3 }, () => memory.take(100 * KIB));
  t.deepEqual(new Set(again.filter((one) => taken.includes(one))), new Set(taken.slice(0, 2)));
  t.not(memory.take(10), small);
});
