import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { mustRun, SetupError, step } from './step.mjs';

/** Programs that single tests need, which are skipped without them; each is in the Debian package of its name. */
const PROGRAMS = ['caddy', 'chromium', 'curl', 'nginx', 'openssl', 'wget'];

/**
 * Installs the programs that single tests need, all in one go, for a machine that is there for the tests alone.
 * Without root or apt-get, and where it fails, those tests are skipped, and say so.
 */
export async function installTestPrograms() {
  const missing = PROGRAMS.filter((name) => !isInstalled(name));
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => mustRun(`apt-get ${args[0]}`, 'apt-get', ['-qq', ...args], { env });
  try {
    await step(`Installing ${missing.join(', ')}`, async () => {
      await apt('update');
      await apt('install', '-y', '--no-install-recommends', ...missing);
    });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.output ?? ''}\n${error.message} The tests that need them are skipped.\n`);
  }
}

function isInstalled(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/sbin'];
  return folders.some((folder) => existsSync(join(folder, name)));
}
