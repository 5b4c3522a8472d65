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

test('no more is kept than the limit, what came last rather than what came first, and nothing small', (t) => {
  const memory = new ReusedMemory(250 * KIB);
  const taken = Array.from({ length: 3 }, () => memory.take(100 * KIB));
  const [small, large] = [memory.take(10), memory.take(251 * KIB)];
  memory.giveBack([...taken, small, large]);
  const again = Array.from({ length: 3 }, () => memory.take(100 * KIB));
  t.deepEqual(new Set(again.filter((one) => taken.includes(one))), new Set(taken.slice(1)));
  t.not(memory.take(10), small);
  t.not(memory.take(251 * KIB), large);
});

test('memory of a length that is needed no longer makes room for another', (t) => {
  const memory = new ReusedMemory(250 * KIB);
  memory.giveBack([memory.take(250 * KIB)]);
  const needed = memory.take(100 * KIB);
  memory.giveBack([needed]);
  t.is(memory.take(100 * KIB), needed);
});
