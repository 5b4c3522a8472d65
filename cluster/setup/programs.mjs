import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { mustRun, ROOT, SetupError, step } from './step.mjs';

/** Debian packages with the programs that single tests need, which are skipped without them. */
const PACKAGES = ['caddy', 'chromium', 'curl', 'fish', 'nginx', 'openssl', 'postgresql', 'wget', 'zsh'];
/** Taken out of the package `prometheus`, which would start a server. */
const PROMTOOL = join(ROOT, '.cache/programs/promtool');
/** Where Debian puts PostgreSQL's programs, which are not in the PATH. */
const POSTGRES_FOLDER = '/usr/lib/postgresql';
/** What keeps Debian's package from making a database of its own, and starting it. */
const POSTGRES_SETTINGS = '/etc/postgresql-common/createcluster.conf';

/**
 * Installs the programs that single tests need, all in one go, for a machine that is there for the tests alone.
 * Without root or apt-get, and where it fails, those tests are skipped, and say so.
 */
export async function installTestPrograms() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const missing = PACKAGES.filter((name) => !isInstalled(name));
  const hasPromtool = existsSync(PROMTOOL) || isInstalled('promtool');
  if (missing.length === 0 && hasPromtool) return;
  await orSkipped('Looking for packages', () => apt('update'));
  if (missing.length > 0) await orSkipped(`Installing ${missing.join(', ')}`, () => install(missing));
  if (!hasPromtool) await orSkipped('Getting promtool', unpackPromtool);
}

async function orSkipped(text, work) {
  try {
    await step(text, work);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.output ?? ''}\n${error.message} The tests that need it are skipped.\n`);
  }
}

async function install(missing) {
  if (missing.includes('postgresql') && !existsSync(POSTGRES_SETTINGS)) {
    mkdirSync(dirname(POSTGRES_SETTINGS), { recursive: true });
    writeFileSync(POSTGRES_SETTINGS, 'create_main_cluster = false\n');
  }
  const keep = ['-o', 'Dpkg::Options::=--force-confold'];
  await apt(...keep, 'install', '-y', '--no-install-recommends', ...missing);
}

async function unpackPromtool() {
  const work = mkdtempSync(join(tmpdir(), 'sealion-promtool-'));
  try {
    await mustRun('apt-get', 'apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', 'prometheus'], {
      cwd: work,
    });
    const deb = readdirSync(work).find((name) => name.endsWith('.deb')) ?? '';
    await mustRun('dpkg-deb', 'dpkg-deb', ['-x', join(work, deb), join(work, 'tree')]);
    mkdirSync(dirname(PROMTOOL), { recursive: true });
    copyFileSync(join(work, 'tree/usr/bin/promtool'), PROMTOOL);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return mustRun('apt-get', 'apt-get', ['-qq', ...args], { env });
}

function isInstalled(name) {
  if (name === 'postgresql') return existsSync(POSTGRES_FOLDER);
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/sbin'];
  return folders.some((folder) => existsSync(join(folder, name)));
}
