import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const setup = (file: string) => import(pathToFileURL(join(root, 'cluster/setup', file)).href);

/** A folder that git knows, with these files. */
async function checkout(t: ExecutionContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-citations-'));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  execFileSync('git', ['init', '-q'], { cwd: folder });
  execFileSync('git', ['add', '-A'], { cwd: folder });
  return folder;
}

test('a citation of a missing heading is found, with its location', async (t) => {
  const at = '#'; // what is cited here must not be taken for citations of this file
  const { brokenCitations } = await setup('citations.mjs');
  const folder = await checkout(t, {
    'GUIDE.md': `# The guide\n\n## Who owns what\n\n[there](rooms/README.md${at}doors-and-keys)\n`,
    'rooms/README.md': `## Doors and keys\n\n[back](../GUIDE.md${at}who-owns-what)\n`,
    'rooms/door.ts': `// GUIDE.md${at}who-owns-what\n// GUIDE.md${at}who-owns-which\n// rooms/CLOSET.md${at}shelves\n`,
  });
  t.deepEqual(brokenCitations(folder), [
    `rooms/door.ts:2: GUIDE.md${at}who-owns-which`,
    `rooms/door.ts:3: rooms/CLOSET.md${at}shelves`,
  ]);
});

test('only production packages without a permissive licence are found', async (t) => {
  const { productionPackages } = await setup('dependencies.mjs');
  const packages = productionPackages({
    packages: {
      '': { name: 'sealion' },
      'node_modules/good': { version: '1.0.0', license: 'MIT' },
      'node_modules/good/node_modules/@scope/viral': {
        version: '2.0.0',
        license: 'GPL-3.0',
        hasInstallScript: true,
      },
      'node_modules/silent': { version: '3.0.0' },
      'node_modules/tool': { version: '4.0.0', license: 'GPL-3.0', dev: true },
    },
  });
  t.deepEqual(
    packages.map(({ name, permissive, installScript }: Record<string, unknown>) => [
      name,
      permissive,
      installScript,
    ]),
    [
      ['@scope/viral', false, true],
      ['good', true, false],
      ['silent', false, false],
    ],
  );
});

test('error codes without an explanation, and explanations without a code, are found', async (t) => {
  const { unexplainedCodes } = await setup('error-codes.mjs');
  const folder = await checkout(t, {
    'protocols/ERRORS.md': ['known', 'by-hand', '<what>-timeout', 'left-over', 'known']
      .map((code) => `| \`${code}\` | cause | what to do |\n`)
      .join(''),
    'runtime/doors.ts': `
      const HAND = 'by-hand';
      const known = new Terminal({ code: 'known', message: 'code-like-text' });
      const late = new Retryable({ code: \`\${this.what}-timeout\`, message });
      const either = { code: open ? 'door-open' : 'door-shut', reason: 'a-reason' };
      function refused(number: number, code: string, why: string) {}
      throw refused(1, 'refused-here', 'a, sentence');
      throw refused(2, HAND, 'a-word');
      if (error.code === 'not-thrown') return;
    `,
    'runtime/rule.ts': 'export function rule(code: string, why: string): Terminal {}',
    'runtime/gate.ts': "import { rule } from './rule.ts';\nthrow rule('ruled-out', 'why');",
    'runtime/doors.test.ts': "t.throws(f, { code: 'of-a-test' });",
  });
  t.deepEqual(unexplainedCodes(folder), [
    'runtime/doors.ts: door-open is not explained',
    'runtime/doors.ts: door-shut is not explained',
    'runtime/doors.ts: refused-here is not explained',
    'runtime/gate.ts: ruled-out is not explained',
    'protocols/ERRORS.md: left-over is not used',
    'protocols/ERRORS.md: known is explained twice',
  ]);
});

test('a misspelt word is found with its location, and words of the project are accepted', async (t) => {
  const { misspellings } = await setup('spelling.mjs');
  // cspell:ignore recieves
  const folder = await checkout(t, { 'GUIDE.md': 'Sealion runs on a devnet.\nIt recieves pieces.\n' });
  const found = await misspellings(['--root', folder, '--no-cache', join(folder, 'GUIDE.md')]);
  t.regex(found, /GUIDE\.md:2:4 - Unknown word \(recieves\)/);
});
