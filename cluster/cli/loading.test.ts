import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const DIST = new URL('../../', import.meta.url);
/** Imports and exports that are resolved before anything runs. */
const STATIC = /^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'/gm;

/** Packages that are loaded before a module runs, through all modules of ours. */
async function packagesOf(module: URL, seen = new Set<string>()): Promise<Set<string>> {
  const packages = new Set<string>();
  if (seen.has(module.href)) return packages;
  seen.add(module.href);
  const text = await readFile(fileURLToPath(module), 'utf8');
  for (const [, named, alone] of text.matchAll(STATIC)) {
    const name = named ?? alone ?? '';
    if (name.startsWith('node:')) continue;
    const own = name.startsWith('#') ? new URL(`${name.slice(1)}.js`, DIST) : undefined;
    const next = own ?? (name.startsWith('.') ? new URL(name, module) : undefined);
    if (!next) packages.add(name);
    else for (const further of await packagesOf(next, seen)) packages.add(further);
  }
  return packages;
}

test('help and completion wait for no package but the one that reads arguments', async (t) => {
  t.deepEqual([...(await packagesOf(new URL('sealion.js', import.meta.url)))], ['commander']);
});

test('help of a node waits for no package but the one that reads arguments', async (t) => {
  t.deepEqual([...(await packagesOf(new URL('../node/main.js', import.meta.url)))], ['commander']);
});

test('a node starts without what only some nodes or moments need', async (t) => {
  const packages = await packagesOf(new URL('../node/run-node.js', import.meta.url));
  const later =
    /^pg$|libsql|opentelemetry\/(sdk|exporter)|xml|curves\/secp256k1|cosmos\/(auth|bank|base\/abci)|tx\/v1beta1\/service/;
  t.deepEqual(
    [...packages].filter((each) => later.test(each)),
    [],
  );
});

test('what the admin server is asked for waits for no chain, NATS or database', async (t) => {
  for (const name of ['show', 'act', 'watch']) {
    const packages = await packagesOf(new URL(`operator/${name}.js`, import.meta.url));
    t.deepEqual(
      [...packages].filter((each) => /greenfield|nats|level|postgres/.test(each)),
      [],
      name,
    );
  }
});
