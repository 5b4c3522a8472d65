import { readFile } from 'node:fs/promises';
import test from 'ava';
import { generateKernel } from './build.ts';

test('the committed kernel is the one its source compiles to', async (t) => {
  const root = process.cwd();
  t.is(await readFile(`${root}/protocols/erasure/kernel.generated.ts`, 'utf8'), await generateKernel(root));
});
