import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { LevelStore } from './level-store.ts';

test('writes at the same time take effect in their order, and are there after a restart', async (t) => {
  const write = fc.record({ key: fc.constantFrom('a', 'b', 'c'), value: fc.option(fc.nat()) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 30 }), async (groups) => {
      const directory = await mkdtemp(join(tmpdir(), 'sealion-store-'));
      const expected = new Map<string, number>();
      const store = await LevelStore.open(directory);
      const table = store.table<number>('t');
      const writing = groups.map((group) =>
        store.write(
          group.map(({ key, value }) => {
            if (value === null) expected.delete(key);
            else expected.set(key, value);
            return value === null
              ? { type: 'del', sublevel: table, key }
              : { type: 'put', sublevel: table, key, value };
          }),
        ),
      );
      await Promise.all(writing);
      await store.close();
      const later = await LevelStore.open(directory);
      const found = await later.page(later.table<number>('t'), { gte: 'a', limit: 10 });
      t.deepEqual(found, [...expected].sort());
      await later.close();
      await rm(directory, { recursive: true });
    }),
    { numRuns: 15 },
  );
});

test('a write that cannot be made fails alone', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-store-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const store = await LevelStore.open(directory);
  const table = store.table<unknown>('t');
  const put = (key: string, value: unknown) => store.write([{ type: 'put', sublevel: table, key, value }]);
  const results = await Promise.allSettled([put('good', 1), put('bad', undefined), put('good', 2)]);
  t.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  t.deepEqual(await store.page(table, { gte: 'a', limit: 10 }), [['good', 2]]);
  const last = put('last', 3);
  await store.close();
  await t.notThrowsAsync(last);
  await t.throwsAsync(put('late', 4), { name: 'Cancelled', code: 'journal-closed' });
});
