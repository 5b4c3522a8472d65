import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { configurationReference, settingPaths } from './reference.ts';

const FOLDER = fileURLToPath(new URL('../../../cluster/deploy/', import.meta.url));

test('the reference is what schema and example say (npm run reference writes it)', async (t) => {
  const example = await readFile(`${FOLDER}sealion.example.yaml`, 'utf8');
  t.is(await readFile(`${FOLDER}configuration.md`, 'utf8'), configurationReference(example));
});

test('the reference says value, default and meaning of every setting', async (t) => {
  const reference = await readFile(`${FOLDER}configuration.md`, 'utf8');
  const rows = new Map(
    [...reference.matchAll(/^\| `([^`]+)` \| (.*?) \| (.*?) \| (.*) \|$/gm)].map(([, path, ...cells]) => [
      path,
      cells,
    ]),
  );
  t.deepEqual([...rows.keys()], [...settingPaths()]);
  t.true(rows.size > 70);
  for (const [path, cells] of rows)
    t.true(
      cells.every((cell) => cell.length > 0),
      path,
    );
  t.like(rows.get('gateway.listen.port'), [
    'a port (0: any free one), a whole number from 0 to 65535',
    '`9033`',
  ]);
  t.is(rows.get('limits.byteBudget')?.[1], '`256 MiB`');
  t.is(rows.get('sp.id')?.[1], 'must be given');
});
