import { existsSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, SetupError } from './step.mjs';

const DIST = join(ROOT, 'dist');

/** Where `compiledProgram` finds the bundled programs, by their paths below dist/. */
export const BUNDLES = join(DIST, 'bundled');

/** Programs that tests start again and again, as processes of their own. */
const PROGRAMS = ['node/main', 'devnet/chain/main', 'cli/sealion'];

/**
 * Bundles each program that tests start many times, with the packages that it imports, so that a process opens a few
 * files instead of a thousand: most of the time of starting one is spent on that. What of ours a program imports later,
 * when a command needs it, is a file of its own here too; packages are then loaded from node_modules.
 * @throws SetupError
 */
export async function bundle() {
  const entryPoints = PROGRAMS.map((name) => join(DIST, `cluster/${name}.js`)).filter((path) =>
    existsSync(path),
  );
  if (entryPoints.length === 0) return;
  // Not at the top: this file is loaded before the packages are installed.
  const { build } = await import('esbuild');
  rmSync(BUNDLES, { recursive: true, force: true });
  const options = {
    entryPoints,
    outdir: BUNDLES,
    outbase: DIST,
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Errors have the names of their classes.
    keepNames: true,
    // Packages with compiled parts, which they look for beside their own files.
    external: ['@chainsafe/blst', 'classic-level', 'libsql', 'pg-native'],
    banner: { js: REQUIRE },
    plugins: [ownPlaces],
    logLevel: 'silent',
  };
  await build(options).catch((error) => {
    throw new SetupError('Bundling failed.', { output: error.message });
  });
}

/** CommonJS packages in the bundle require Node's modules. */
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";

/** Our modules find files relative to where they are in dist/, and packages that they import later where they are. */
const ownPlaces = {
  name: 'own-places',
  setup(build) {
    // Of a CommonJS package, an import() in a bundle has no named exports.
    build.onResolve({ filter: /^[^.#/]/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { external: true } : undefined,
    );
    build.onLoad(
      { filter: /[\\/]dist[\\/](protocols|runtime|actors|gateway|cluster)[\\/].*\.js$/ },
      async ({ path }) => {
        const text = await readFile(path, 'utf8');
        return {
          contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
          loader: 'js',
        };
      },
    );
  },
};
