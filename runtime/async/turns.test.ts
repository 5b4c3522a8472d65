import { setImmediate as immediate } from 'node:timers/promises';
import test from 'ava';
import { nextTurn } from './turns.ts';

test('there is one turn in each round of the event loop, in the order of those who wait', async (t) => {
  const had: number[] = [];
  for (const who of [1, 2, 3, 4]) void nextTurn().then(() => had.push(who));
  const seen: number[] = [];
  for (let round = 0; round < 5; round++) {
    await immediate();
    seen.push(had.length);
  }
  t.deepEqual(had, [1, 2, 3, 4]);
  t.true(seen.every((count, i) => count - (seen[i - 1] ?? 0) <= 1));
});

test('who asks for another turn comes after those who wait', async (t) => {
  const had: string[] = [];
  const steps = async (who: string) => {
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      had.push(who);
    }
  };
  await Promise.all([steps('a'), steps('b'), steps('c')]);
  t.deepEqual(had, ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
});
