import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';
import { mustRun, ROOT, step } from './step.mjs';

const FOLDERS = ['protocols', 'runtime', 'actors', 'gateway', 'cluster'];
const DIST = join(ROOT, 'dist');
const STAMP = join(DIST, '.sources');

/** Compiles changed sources to dist/, removes the output of deleted ones, and bundles what tests start. */
export async function build() {
  const sources = fingerprint();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === sources) return;
  await step('Compiling', () =>
    mustRun('The compiler', process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc')]),
  );
  removeStale();
  await step('Bundling', bundle);
  writeFileSync(STAMP, sources);
}

function fingerprint() {
  const hash = createHash('sha256');
  const files = FOLDERS.flatMap((folder) => filesBelow(join(ROOT, folder), '.ts', '.tsx'));
  for (const path of [...files.sort(), join(ROOT, 'tsconfig.json'), join(ROOT, 'package-lock.json')]) {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/** Removes compiled files without a source, so that deleted tests are not run. */
function removeStale() {
  for (const folder of FOLDERS) {
    for (const path of filesBelow(join(DIST, folder), '.js')) {
      const source = join(ROOT, path.slice(DIST.length)).replace(/\.js$/, '');
      if (existsSync(`${source}.ts`) || existsSync(`${source}.tsx`)) continue;
      rmSync(path);
      rmSync(`${path}.map`, { force: true });
    }
  }
}

function filesBelow(folder, ...endings) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
