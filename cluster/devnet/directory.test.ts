import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Terminal } from '#protocols/errors';
import { claimDirectory, type DevnetFile, type DevnetFileSp } from './directory.ts';

const SP = { id: 1, admin: 'http://127.0.0.1:9133', nodes: [] } as unknown as DevnetFileSp;
const FILE: DevnetFile = {
  chain: { rpc: 'http://127.0.0.1:1', chainId: 'c_1-1' },
  sps: [SP],
  accounts: [],
  pid: 1,
};

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealion-devnet-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

test('devnet.json exists from publish to release, readable by its owner alone', async (t) => {
  const directory = await claimDirectory(await folder(t), false);
  t.false(await exists(directory.file));
  await directory.publish(FILE);
  t.deepEqual(JSON.parse(await readFile(directory.file, 'utf8')), FILE);
  t.is((await stat(directory.file)).mode & 0o077, 0);
  const targets = await readFile(join(dirname(directory.file), 'prometheus.json'), 'utf8');
  t.deepEqual(JSON.parse(targets), [{ targets: ['127.0.0.1:9133'], labels: { provider: '1' } }]);
  await directory.release();
  t.false(await exists(directory.file));
});

test('a folder in use is rejected and left unchanged', async (t) => {
  const path = await folder(t);
  const directory = await claimDirectory(path, false);
  await directory.publish(FILE);
  const error = await t.throwsAsync(claimDirectory(path, false), { instanceOf: Terminal });
  t.is(error.code, 'devnet-running');
  t.true(await exists(directory.file));

  await directory.release();
  await t.notThrowsAsync(claimDirectory(path, false));
});

test('the remains of a killed devnet are removed', async (t) => {
  const path = await folder(t);
  const gone = await claimDirectory(path, false);
  await gone.publish(FILE);
  await writeFile(join(gone.state, 'old'), '');
  await gone.release();
  // As a killed process leaves it. No process has the highest number of all.
  await gone.publish(FILE);
  await writeFile(join(path, 'lock'), '4194305\n');

  const next = await claimDirectory(path, false);
  t.false(await exists(next.file));
  t.false(await exists(join(next.state, 'old')));
});

test('kept folders are not removed', async (t) => {
  const path = await folder(t);
  const first = await claimDirectory(path, false);
  await writeFile(join(first.state, 'old'), '');
  await first.release();
  const next = await claimDirectory(path, true);
  t.true(await exists(join(next.state, 'old')));
});

test('only files made by a devnet are removed', async (t) => {
  const path = await folder(t);
  await writeFile(join(path, 'mine'), '');
  await claimDirectory(path, false);
  t.true(await exists(join(path, 'mine')));
});
