import test from 'ava';
import { type Step, Turns } from './turns.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Steps in the order in which they got through. */
function steps(turns: Turns) {
  const through: string[] = [];
  return {
    through,
    take: (name: string, step: Step = 'further') => void turns.take(step).then(() => through.push(name)),
  };
}

test('a few get through in each turn of the event loop, in order', async (t) => {
  const { through, take } = steps(new Turns(3));
  for (const name of 'abcdefgh') take(name);
  for (const count of [3, 6, 8]) {
    await Promise.resolve();
    t.is(through.length, count);
    await nextTurn();
  }
  t.is(through.join(''), 'abcdefgh');
});

test('those who are new do not wait for all who go on, nor those for all who are new', async (t) => {
  const { through, take } = steps(new Turns(1));
  for (const name of '0abcd') take(name);
  for (const name of '1234') take(name, 'first');
  while (through.length < 9) await nextTurn();
  t.is(through.join(''), '01a2b3c4d');
});

test('the turns after a client has come are short', async (t) => {
  const turns = new Turns(3, 2);
  const { through, take } = steps(turns);
  for (const name of 'abcdefgh') take(name);
  turns.newcomer();
  for (const count of [3, 4, 5, 8]) {
    await Promise.resolve();
    t.is(through.length, count);
    await nextTurn();
  }
});
