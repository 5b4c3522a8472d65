import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './step.mjs';

/** Permitted licences of production dependencies: they require no more than their notice. */
const PERMISSIVE = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Unlicense',
]);

/**
 * The packages that run in production according to the lock file: name, version, licence, and whether they have an
 * install script (none should need one: binaries are inside the packages).
 */
export function productionPackages(lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))) {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && !entry.dev)
    .map(([path, { version, license = 'none', hasInstallScript = false }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      license,
      installScript: hasInstallScript,
      permissive: PERMISSIVE.has(license),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Prints them as a table. @returns the exit code: 1 when a licence is not permissive */
export function listDependencies() {
  const packages = productionPackages();
  const width = Math.max(...packages.map(({ name }) => name.length));
  for (const { name, version, license, installScript } of packages) {
    const script = installScript ? '  has an install script' : '';
    process.stdout.write(`${name.padEnd(width)}  ${version.padEnd(14)}  ${license}${script}\n`);
  }
  const refused = packages.filter(({ permissive }) => !permissive);
  for (const { name, license } of refused) {
    process.stdout.write(`${name}: the licence ${license} is not one of ${[...PERMISSIVE].join(', ')}\n`);
  }
  return refused.length === 0 ? 0 : 1;
}
