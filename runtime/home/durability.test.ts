import test from 'ava';
import { assessDurability } from './durability.ts';

const level = (serverVersion: string, replicas: number, syncAlways: boolean) =>
  assessDurability({ serverVersion, replicas, syncAlways }).level;

test('the level follows the number of replicas and the sync setting', (t) => {
  t.is(level('2.9.10', 1, false), 'crash-safe');
  t.is(level('2.12.3', 1, false), 'crash-safe');
  t.is(level('2.10.0', 1, true), 'power-safe');
  t.is(level('2.9.10', 3, false), 'replicated');
  t.is(level('2.12.3', 5, true), 'replicated');
});

test('a durability that the server cannot provide is refused', (t) => {
  const error = t.throws(() => level('2.9.10', 1, true), { name: 'Terminal', code: 'sync-unsupported' });
  t.regex(error?.message ?? '', /2\.9\.10/);
  t.throws(() => level('2.9.25', 3, true), { code: 'sync-unsupported' });
});
