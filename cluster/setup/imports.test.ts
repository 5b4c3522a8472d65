import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A small project that breaks no rule; each test adds to it what it is about. */
const HOUSE: Readonly<Record<string, string>> = {
  'protocols/job/state.ts': "export const state = 'sealed';\n",
  'runtime/peers/nats/link.ts': "export { state as link } from '#protocols/job/state';\n",
  'runtime/peers/peers.ts': "export { link as peers } from './nats/link.ts';\n",
  'actors/messages.ts': "export { state as message } from '#protocols/job/state';\n",
  'actors/primary/object/work.ts': "export { peers as work } from '#runtime/peers/peers';\n",
  'gateway/upload/body.ts': "export { message as body } from '#actors/messages';\n",
  'cluster/node/start.ts': "export { body as start } from '#gateway/upload/body';\n",
  'cluster/node/stop.ts': "export { work as stop } from '#actors/primary/object/work';\n",
};

/** Lints the small project, with these files besides, by our own rules. @returns `file rule` of each objection */
async function objections(t: ExecutionContext, files: Record<string, string>): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-imports-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(join(root, '.biome.json'), join(folder, '.biome.json'));
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  // The rules go by what git ignores.
  await cp(join(root, '.gitignore'), join(folder, '.gitignore'));
  for (const [name, text] of Object.entries({ ...HOUSE, ...files })) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const biome = join(root, 'node_modules/.bin/biome');
  const { status, stdout } = spawnSync(biome, ['lint', '--reporter=github', '.'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const lines = stdout.matchAll(/^::error title=lint\/\w+\/(\w+),file=([^,]+),/gm);
  const found = new Set(Array.from(lines, ([, rule, file = '']) => `${relative(folder, file)} ${rule}`));
  t.is(status, found.size > 0 ? 1 : 0, stdout);
  return [...found].sort();
}

test('imports without cycles down the floors are accepted', async (t) => {
  t.deepEqual(await objections(t, {}), []);
});

test('import cycles are refused, including those of types and by name', async (t) => {
  const found = await objections(t, {
    'actors/primary/object/advance.ts':
      "import { phase } from './phase.ts';\nexport const advance = () => phase;\n",
    'actors/primary/object/phase.ts':
      "import { advance } from './advance.ts';\nexport const phase = () => advance;\n",
    'actors/chain/order.ts': "import type { Signer } from './signer.ts';\nexport type Order = Signer | 1;\n",
    'actors/chain/signer.ts': "import type { Order } from './order.ts';\nexport type Signer = Order | 2;\n",
    'actors/caretaker/rounds/a.ts': "export { b as a } from './b.ts';\n",
    'actors/caretaker/rounds/b.ts': "export { c as b } from '#actors/caretaker/space/c';\n",
    'actors/caretaker/space/c.ts': "export { a as c } from '#actors/caretaker/rounds/a';\n",
  });
  t.deepEqual(
    found,
    [
      'actors/caretaker/rounds/a.ts',
      'actors/caretaker/rounds/b.ts',
      'actors/caretaker/space/c.ts',
      'actors/chain/order.ts',
      'actors/chain/signer.ts',
      'actors/primary/object/advance.ts',
      'actors/primary/object/phase.ts',
    ].map((file) => `${file} noImportCycles`),
  );
});

const AGAINST_THE_FLOORS = [
  ['protocols/job', 'runtime/peers/peers'],
  ['protocols/job/deep', 'actors/messages'],
  ['runtime/peers/nats', 'actors/primary/object/work'],
  ['runtime/peers/nats/mail', 'gateway/upload/body'],
  ['actors/primary/object', 'gateway/upload/body'],
  ['gateway/upload/deep', 'actors/primary/object/work'],
] as const;

test('upward imports are refused at any depth, by path and by name, in tests too', async (t) => {
  const files: Record<string, string> = {};
  for (const [index, [folder, above]] of AGAINST_THE_FLOORS.entries()) {
    const up = '../'.repeat(folder.split('/').length);
    files[`${folder}/path-${index}.ts`] = `export * from '${up}${above}.ts';\n`;
    files[`${folder}/path-${index}.test.ts`] = `export * from '${up}${above}.ts';\n`;
    files[`${folder}/name-${index}.ts`] = `export * from '#${above}';\n`;
  }
  // No name leads to cluster/.
  for (const folder of ['protocols/job', 'runtime/peers/nats', 'actors/primary/object', 'gateway/upload']) {
    const up = '../'.repeat(folder.split('/').length);
    files[`${folder}/cluster.ts`] = `export * from '${up}cluster/node/start.ts';\n`;
  }
  const refused = Object.keys(files).map((file) => `${file} noRestrictedImports`);
  t.deepEqual(await objections(t, files), refused.sort());
});
