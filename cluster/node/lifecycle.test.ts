import test from 'ava';
import { silentLogger } from '#runtime/telemetry/logger';
import { Lifecycle } from './lifecycle.ts';

test('parts close one by one, in reverse order', async (t) => {
  const order: string[] = [];
  const parts = new Lifecycle(silentLogger);
  for (const name of ['log', 'chain', 'gateway']) {
    const opened = await parts.open(
      name,
      async () => `the ${name}`,
      async (it) => {
        order.push(`${it} closes`);
        await new Promise(setImmediate);
        order.push(`${it} is closed`);
      },
    );
    t.is(opened, `the ${name}`);
  }
  await parts.close();
  t.deepEqual(
    order,
    ['gateway', 'chain', 'log'].flatMap((name) => [`the ${name} closes`, `the ${name} is closed`]),
  );
  await parts.close();
  t.is(order.length, 6);
});

test('a part that hangs or fails while closing keeps no other open', async (t) => {
  const closed: string[] = [];
  const parts = new Lifecycle(silentLogger);
  const open = (name: string, close: () => void | Promise<void>, limitMs?: number) =>
    parts.open(name, () => undefined, close, limitMs);
  await open('first', () => void closed.push('first'));
  await open('hangs', () => new Promise(() => undefined), 10);
  await open('rejects', () => Promise.reject(new Error('no')));
  await open('throws', () => {
    throw new Error('no');
  });
  await open('last', () => void closed.push('last'));
  await parts.close();
  t.deepEqual(closed, ['last', 'first']);
});

test('a part that does not open is not closed', async (t) => {
  const parts = new Lifecycle(silentLogger);
  await t.throwsAsync(
    parts.open(
      'bad',
      () => Promise.reject(new Error('does not open')),
      () => t.fail(),
    ),
    { message: 'does not open' },
  );
  await parts.close();
});
