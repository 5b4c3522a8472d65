import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { mustRun, SetupError, step } from './step.mjs';

/** Debian packages with the programs that single tests need, which are skipped without them. */
const PACKAGES = ['caddy', 'chromium', 'curl', 'fish', 'nginx', 'openssl', 'postgresql', 'wget', 'zsh'];
/** Where Debian puts PostgreSQL's programs, which are not in the PATH. */
const POSTGRES_FOLDER = '/usr/lib/postgresql';
/** What keeps Debian's package from making a database of its own, and starting it. */
const POSTGRES_SETTINGS = '/etc/postgresql-common/createcluster.conf';

/**
 * Installs the programs that single tests need, all in one go, for a machine that is there for the tests alone.
 * Without root or apt-get, and where it fails, those tests are skipped, and say so.
 */
export async function installTestPrograms() {
  const missing = PACKAGES.filter((name) => !isInstalled(name));
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => mustRun('apt-get', 'apt-get', ['-qq', ...args], { env });
  try {
    await step(`Installing ${missing.join(', ')}`, async () => {
      await apt('update');
      if (missing.includes('postgresql') && !existsSync(POSTGRES_SETTINGS)) {
        mkdirSync(dirname(POSTGRES_SETTINGS), { recursive: true });
        writeFileSync(POSTGRES_SETTINGS, 'create_main_cluster = false\n');
      }
      const keep = ['-o', 'Dpkg::Options::=--force-confold'];
      await apt(...keep, 'install', '-y', '--no-install-recommends', ...missing);
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.output ?? ''}\n${error.message} The tests that need them are skipped.\n`);
  }
}

function isInstalled(name) {
  if (name === 'postgresql') return existsSync(POSTGRES_FOLDER);
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/sbin'];
  return folders.some((folder) => existsSync(join(folder, name)));
}
