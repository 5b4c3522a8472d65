import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { SendWindow } from './send-window.ts';

const never = new AbortController().signal;

test('messages that fit enter at once, the rest in order as room is freed', async (t) => {
  const window = new SendWindow(10);
  await window.enter(6, never);
  const order: string[] = [];
  void window.enter(5, never).then(() => order.push('five'));
  void window.enter(1, never).then(() => order.push('one'));
  await turn();
  t.deepEqual(order, [], 'the small one does not overtake');
  window.release(2);
  await turn();
  t.deepEqual(order, ['five', 'one']);
  t.is(window.inFlight, 10);
});

test('a cancelled waiter takes no room and lets the next one in', async (t) => {
  const window = new SendWindow(10);
  await window.enter(6, never);
  const impatient = new AbortController();
  const five = window.enter(5, impatient.signal);
  const four = window.enter(4, never);
  impatient.abort(new Error('enough'));
  await t.throwsAsync(five, { message: 'enough' });
  await four;
  t.is(window.inFlight, 10);
  await t.throwsAsync(async () => window.enter(1, impatient.signal), { message: 'enough' });
});
