import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, ROOT, SetupError, step } from './step.mjs';

const MINIMUM_NODE = [20, 19];

/** @throws SetupError when this Node is older than package.json requires */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return;
  throw new SetupError(`Node ${version} is too old.`, {
    advice: `Install Node ${MINIMUM_NODE.join('.')} or later.`,
  });
}

/**
 * Installs the npm packages if node_modules differs from the lock file. A node_modules that is a symbolic link belongs
 * to another checkout and is not changed.
 */
export async function installPackages() {
  if (areInstalled()) return;
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm, 'ci']] : ['npm', ['ci']];
  // With `npm run --silent` the reasons of a failure would be hidden too.
  const env = { ...process.env, npm_config_loglevel: 'error' };
  await step('Installing the npm packages', () => mustRun('npm ci', command, args, { env }));
}

function areInstalled() {
  const modules = join(ROOT, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  const wanted = readLock(join(ROOT, 'package-lock.json'));
  const installed = readLock(join(modules, '.package-lock.json'));
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed[path];
    if (!found) return entry.optional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** The packages in a lock file, by path; npm writes a lock file beside the installed packages. */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw new SetupError(`Cannot read ${path}: ${error.message}`, {
      advice: 'Remove the file node_modules/.package-lock.json, or restore package-lock.json from git.',
    });
  }
}
