import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';

const runFile = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A small project with this set-up, the packages of ours, and the given sources. */
async function project(t: ExecutionContext, sources: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-setup-'));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const name of ['cluster/setup', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    await cp(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !path.endsWith('.ts'),
    });
  }
  for (const name of ['node_modules', '.cache']) await symlink(join(root, name), join(folder, name));
  for (const [name, text] of Object.entries(sources)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function setup(folder: string, ...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [join(folder, 'cluster/setup/run.mjs'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, lines: output.trimEnd().split('\n') };
}

const passing = `import test from 'ava'; test('holds', (t) => t.pass());`;

test('the last line counts passed, failed and skipped tests, with the reason of each skip above it', async (t) => {
  const folder = await project(t, {
    'protocols/a.test.ts': `import test from 'ava';
      test('holds', (t) => t.pass());
      test('does not', (t) => t.is(1 as number, 2));
      test.skip('needs a power cut', (t) => t.pass());`,
    'protocols/b.test.ts': `throw new Error('at load');`,
  });
  const { code, lines } = await setup(folder, 'test');
  t.is(code, 1);
  t.regex(lines.at(-2) ?? '', /skipped: .*needs a power cut/);
  t.regex(lines.at(-1) ?? '', /^1 passed, [2-4] failed, 1 skipped$/);
});

test('the compiled test of a deleted source is removed', async (t) => {
  const folder = await project(t, { 'protocols/a.test.ts': passing, 'protocols/b.test.ts': passing });
  t.is((await setup(folder, 'test')).lines.at(-1), '2 passed, 0 failed');
  await rm(join(folder, 'protocols/b.test.ts'));
  t.is((await setup(folder, 'test')).lines.at(-1), '1 passed, 0 failed');
});

test('tests can be selected by source path', async (t) => {
  const folder = await project(t, { 'protocols/a.test.ts': passing, 'runtime/b.test.ts': passing });
  t.is((await setup(folder, 'test', 'runtime')).lines.at(-1), '1 passed, 0 failed');
  t.is((await setup(folder, 'test', 'protocols/a.test.ts')).lines.at(-1), '1 passed, 0 failed');
});

test('a program that tests start is bundled with what it imports, and finds files beside its module', async (t) => {
  const folder = await realpath(
    await project(t, {
      'cluster/mistake.ts': 'export class Mistake extends Error { kind = this.constructor.name; }',
      'cluster/node/later.ts': `export const later = 'later';`,
      'cluster/node/main.ts': `import { Command } from 'commander';
        import { Mistake as Imported } from '../mistake.ts';
        class Mistake extends Imported {}
        const { later } = await import('./later.ts');
        const names = [new Command('it').name(), new Imported().kind, new Mistake().kind, later];
        process.stdout.write(JSON.stringify([...names, import.meta.url]));`,
    }),
  );
  const { code, lines } = await setup(folder, 'build');
  t.is(code, 0, lines.join('\n'));
  await rm(join(folder, 'dist/cluster'), { recursive: true });
  await rm(join(folder, 'node_modules'));
  const { stdout } = await runFile(process.execPath, [join(folder, 'dist/bundled/cluster/node/main.js')]);
  const { href } = pathToFileURL(join(folder, 'dist/cluster/node/main.js'));
  t.deepEqual(JSON.parse(stdout), ['it', 'Mistake', 'Mistake', 'later', href]);
});

test('a run without any test fails', async (t) => {
  const { code, lines } = await setup(await project(t, { 'protocols/a.ts': 'export {};' }), 'test');
  t.is(code, 1);
  t.is(lines.at(-1), '0 passed, 1 failed');
});

test('a compiler error is shown and counts as a failure', async (t) => {
  const folder = await project(t, { 'protocols/a.test.ts': `${passing} export const x: number = 'text';` });
  const { code, lines } = await setup(folder, 'test');
  t.is(code, 1);
  t.true(lines.some((line) => line.includes('protocols/a.test.ts') && line.includes('TS2322')));
  t.is(lines.at(-1), '0 passed, 1 failed');
});

test('an unknown task is refused with the list of tasks', async (t) => {
  const { code, lines } = await setup(await project(t, {}), 'deploy');
  t.is(code, 1);
  t.regex(lines.join('\n'), /"deploy".*\n.*verify.*devnet/);
});
