import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Recent } from './recent.ts';

test('the newest entries are kept, the oldest evicted', (t) => {
  const recent = new Recent<number, string>({ ttlMs: 600_000, maxEntries: 2 });
  recent.set(1, 'a');
  recent.set(2, 'b');
  recent.set(1, 'c');
  recent.set(3, 'd');
  t.deepEqual([recent.get(1), recent.get(2), recent.get(3)], ['c', undefined, 'd']);
  recent.delete(3);
  t.is(recent.get(3), undefined);
});

test('entries expire', async (t) => {
  const recent = new Recent<number, string>({ ttlMs: 10, maxEntries: 2 });
  recent.set(1, 'a');
  while (recent.get(1) !== undefined) await sleep(5);
  t.is(recent.get(1), undefined);
});
