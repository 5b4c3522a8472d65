import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
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

/** Counts the timers that are started while a test runs, which has no others. */
function countTimers(t: ExecutionContext): { count: number } {
  const { setTimeout: original } = globalThis;
  t.teardown(() => {
    globalThis.setTimeout = original;
  });
  const timers = { count: 0 };
  const counted = (...args: Parameters<typeof original>) => {
    timers.count += 1;
    return original(...args);
  };
  globalThis.setTimeout = Object.assign(counted, original);
  return timers;
}

test.serial(
  'while an upload lasts, turns are shorter and leave the event loop to it in between',
  async (t) => {
    const { turns, through, take } = steps({ costPerTurn: 4 });
    const timers = countTimers(t);
    const ended = turns.uploadBegins();
    for (const name of 'abcdefghij') take(name);
    const found: (readonly [timers: number, through: number])[] = [];
    while (through.length < 8) {
      await nextTurn();
      found.push([timers.count, through.length]);
    }
    t.true(
      found.every(([count, done]) => done <= 4 + 2 * count),
      JSON.stringify(found),
    );
    ended();
    while (through.length < 10) await nextTurn();
    t.is(through.join(''), 'abcdefghij');
  },
);

test.serial(
  'what a step costs above the room of a turn beside an upload is taken from the next turns',
  async (t) => {
    const { turns, through, take } = steps({ costPerTurn: 4 });
    const timers = countTimers(t);
    turns.uploadBegins();
    for (const cost of [12, 2]) take(`${cost}`, 'further', { cost });
    while (through.length < 2) await nextTurn();
    t.true(timers.count >= 5);
  },
);

test('an upload begins in the next turn of the event loop, however many others wait', async (t) => {
  const { turns, through, take } = steps({ costPerTurn: 1 });
  turns.uploadBegins();
  for (const name of '0abcd') take(name, 'request');
  turns.newcomer();
  for (const name of '12') take(name, 'upload');
  t.deepEqual(await counts(through, 3), [1, 2, 3]);
  t.is(through.join(''), '012');
});

test.serial('an upload beside which nobody waits starts no timers', async (t) => {
  const { turns, through, take } = steps({ costPerTurn: 4 });
  const timers = countTimers(t);
  turns.uploadBegins();
  take('a');
  while (through.length < 1) await nextTurn();
  for (let last = -1; last < timers.count; ) {
    last = timers.count;
    await sleep(10);
  }
  t.true(timers.count < 5);
});
