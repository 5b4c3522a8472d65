import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { mustRun, ROOT, run, SetupError, step } from './step.mjs';

/** Path of nats-server for tests and devnet: a link to the system's program, or a copy. */
export const NATS_SERVER = join(ROOT, '.cache/nats-server/usr/sbin/nats-server');

const ADVICE =
  'Install nats-server 2.9 or later (https://nats.io/download) so that it is in the PATH, then try again.';

/** Makes sure that there is a nats-server at `NATS_SERVER`. Does not need root. @throws SetupError */
export async function provideNatsServer() {
  if (existsSync(NATS_SERVER)) return;
  rmSync(NATS_SERVER, { force: true });
  if (linkInstalled()) return;
  await step('Getting nats-server', async () => {
    if (existsSync('/usr/bin/dpkg-deb')) await unpackFromDebian();
    else if (process.platform === 'darwin') await installByHomebrew();
    else throw new SetupError('This machine has no nats-server.', { advice: ADVICE });
  });
}

function linkInstalled() {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    '/usr/sbin',
    '/usr/local/sbin',
    '/usr/local/bin',
    '/opt/homebrew/bin',
  ];
  const found = folders.map((folder) => join(folder, 'nats-server')).find((path) => existsSync(path));
  if (!found) return false;
  mkdirSync(dirname(NATS_SERVER), { recursive: true });
  symlinkSync(found, NATS_SERVER);
  return true;
}

/**
 * Downloads the distribution's package and unpacks it into .cache. If the system has no package lists (a fresh
 * container) or outdated ones, they are fetched into .cache too, so that nothing else changes.
 */
async function unpackFromDebian() {
  const cache = join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'apt-'));
  try {
    const ownLists = ['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}/cache`];
    const download = (options) => run('apt-get', [...options, 'download', 'nats-server'], { cwd: work });
    if ((await download([])).code !== 0) {
      mkdirSync(join(work, 'lists/partial'), { recursive: true });
      mkdirSync(join(work, 'cache/archives/partial'), { recursive: true });
      await run('apt-get', [...ownLists, 'update'], { cwd: work });
      const { code, output } = await download(ownLists);
      if (code !== 0) {
        throw new SetupError('apt-get cannot download nats-server.', { advice: ADVICE, output });
      }
    }
    const deb = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (!deb) throw new SetupError('apt-get has downloaded no package.', { advice: ADVICE });
    await mustRun('dpkg-deb', 'dpkg-deb', ['-x', join(work, deb), join(work, 'tree')]);
    rmSync(join(cache, 'nats-server'), { recursive: true, force: true });
    renameSync(join(work, 'tree'), join(cache, 'nats-server'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function installByHomebrew() {
  const { code, output } = await run('brew', ['install', 'nats-server']);
  if (code !== 0 || !linkInstalled()) {
    throw new SetupError('Homebrew cannot install nats-server.', { advice: ADVICE, output });
  }
}
