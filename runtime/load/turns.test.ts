import test from 'ava';
import { type Step, Turns, type TurnsOptions } from './turns.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Steps in the order in which they got through. */
function steps(options: TurnsOptions) {
  const turns = new Turns(options);
  const through: string[] = [];
  const take = (name: string, step: Step = 'further', { cost = 1, line = '' } = {}) =>
    void turns.take(step, cost, line).then(() => through.push(name));
  return { turns, through, take };
}

/** The number of steps that are through after each of the next turns. */
async function counts(through: readonly string[], turns: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < turns; i += 1) {
    await Promise.resolve();
    found.push(through.length);
    await nextTurn();
  }
  return found;
}

test('a few get through in each turn of the event loop, in order', async (t) => {
  const { through, take } = steps({ costPerTurn: 3 });
  for (const name of 'abcdefgh') take(name);
  t.deepEqual(await counts(through, 3), [3, 6, 8]);
  t.is(through.join(''), 'abcdefgh');
});

test('a turn ends when its cost is used up, and has one step at least', async (t) => {
  const { through, take } = steps({ costPerTurn: 3 });
  for (const cost of [9, 2, 2, 1, 3]) take(`${cost}`, 'further', { cost });
  t.deepEqual(await counts(through, 4), [1, 3, 5, 5]);
});

test('those who are new do not wait for all who go on, nor those for all who are new', async (t) => {
  const { through, take } = steps({ costPerTurn: 1 });
  for (const name of '0abcd') take(name);
  for (const name of '1234') take(name, 'first');
  while (through.length < 9) await nextTurn();
  t.is(through.join(''), '01a2b3c4d');
});

test('those of one line do not wait for all of another', async (t) => {
  const { through, take } = steps({ costPerTurn: 1 });
  for (const name of '0abcd') take(name, 'request', { line: 'many' });
  for (const name of '12') take(name, 'request', { line: 'few' });
  while (through.length < 7) await nextTurn();
  t.is(through.join(''), '0a1b2cd');
});

test('after a client has come, few turns let a step through, and one only', async (t) => {
  const { turns, through, take } = steps({ costPerTurn: 3, expectantTurns: 4, restTurns: 2 });
  for (const name of 'abcdefgh') take(name);
  turns.newcomer();
  t.deepEqual(await counts(through, 6), [3, 3, 4, 4, 5, 8]);
});
