import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { withPostgres } from '#runtime/testing/programs';
import { useNetwork } from './network.ts';
import type { WaitingObject } from './offers.ts';
import { until } from './until.ts';

const test = anyTest as TestFn;
const testSerial = await withPostgres(test.serial);
const SEALION = fileURLToPath(new URL('../cli/sealion.js', import.meta.url));
const KIB = 1024;
const SEGMENT = 64 * KIB;
const SIZES = [1, SEGMENT, SEGMENT + 1, 300 * KIB, 1_000 * KIB];
/** Longer than a lease lasts. */
const STOPPED_MS = 6_000;

const network = useNetwork(test, { nodes: 3 });

interface Upload {
  readonly object: WaitingObject;
  readonly isAcknowledged: boolean;
  /** Why it was not acknowledged, at the second try. */
  readonly failure?: string;
}

/** Uploads objects of mixed sizes, a few at a time, as a client that repeats a failed request once. */
function upload(objects: readonly WaitingObject[]): Promise<readonly Upload[]> {
  const net = network();
  return Promise.all(
    objects.map(async (object, i) => {
      await sleep(i * 150);
      const put = () => net.put(1, object);
      return put()
        .catch(() => sleep(500).then(put))
        .then(
          () => ({ object, isAcknowledged: true }),
          (error: unknown) => ({ object, isAcknowledged: false, failure: String(error) }),
        );
    }),
  );
}

/** The nodes of SP 1 that `sealion tree` shows, each followed by what it says if it does not answer. */
async function treesShown(): Promise<readonly string[]> {
  const args = [SEALION, 'tree', '--sp', '1', '--network', network().devnet.path];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const lines = stdout.split('\n');
  return lines.flatMap((line) => /^sp-1@([a-z])( {2}does not answer)?/.exec(line)?.slice(1) ?? []);
}

async function create(count: number): Promise<readonly WaitingObject[]> {
  const net = network();
  const bucketName = await net.createBucket(1);
  const objects = [];
  for (let i = 0; i < count; i += 1) {
    objects.push(await net.createObject(bucketName, { size: SIZES[i % SIZES.length] as number }));
  }
  return objects;
}

function failures(uploads: readonly Upload[]): readonly string[] {
  return uploads.flatMap(({ failure }) => failure ?? []);
}

/** Every acknowledged object is sealed once and reads back equal. */
async function check(t: ExecutionContext, uploads: readonly Upload[]): Promise<void> {
  const net = network();
  for (const { object } of uploads.filter(({ isAcknowledged }) => isAcknowledged)) {
    await net.sealed(object);
    t.true((await net.get(1, object)).equals(object.payload), object.objectName);
    const job = await until('the journal says so', async () => {
      const view = await net.job(1, object.job);
      return view?.context.state === 'SEAL_OBJECT_DONE' && view;
    });
    t.is(job.events.filter(({ type }) => type === 'SealCompleted').length, 1);
  }
}

testSerial('objects uploaded to any of three nodes are sealed, and each node shows them', async (t) => {
  const net = network();
  const uploads = await upload(await create(10));
  t.deepEqual(failures(uploads), []);
  await check(t, uploads);
  const jobs = async (admin: string) => ((await (await fetch(`${admin}/jobs`)).json()) as unknown[]).length;
  for (const { admin } of net.devnet.file.sps[0]?.nodes ?? []) {
    await until(`${admin} shows all jobs`, async () => (await jobs(admin)) >= 10);
  }
});

testSerial('the command line shows the tree of each node', async (t) => {
  t.true(await until('all nodes are shown', async () => (await treesShown()).join() === 'a,,b,,c,'));
});

testSerial('a killed node loses no acknowledged object', async (t) => {
  const { devnet } = network();
  const uploading = upload(await create(20));
  await sleep(1_200);
  await devnet.sp(1, 'b').kill('SIGKILL');
  const uploads = await uploading;
  t.deepEqual(failures(uploads), [], 'one retry reaches another node');
  await check(t, uploads);
  await devnet.sp(1, 'b').start();
});

testSerial('a suspended node is fenced when it continues, and serves again', async (t) => {
  const { devnet } = network();
  const uploading = upload(await create(12));
  await sleep(800);
  const suspended = devnet.sp(1, 'c');
  suspended.signal('SIGSTOP');
  const shown = treesShown();
  await sleep(STOPPED_MS);
  suspended.signal('SIGCONT');
  t.deepEqual((await shown).slice(-2), ['c', '  does not answer'], 'by the command line');
  await check(t, await uploading);
  const again = await upload(await create(6));
  t.deepEqual(failures(again), []);
  await check(t, again);
});

testSerial('a rolling restart fails no upload that one retry would not cover', async (t) => {
  const { devnet } = network();
  const uploading = upload(await create(20));
  for (const name of ['a', 'b', 'c']) await devnet.sp(1, name).restart();
  const uploads = await uploading;
  t.deepEqual(failures(uploads), []);
  await check(t, uploads);
});

testSerial('uploads go on while PostgreSQL is down, and it catches up', async (t) => {
  const { devnet } = network();
  await devnet.postgres?.stop();
  const uploads = await upload(await create(5));
  t.deepEqual(failures(uploads), []);
  await check(t, uploads);
  await devnet.postgres?.start();
  const newest = uploads.at(-1)?.object.objectName;
  const admin = devnet.file.sps[0]?.admin;
  await until('the SQL DB has caught up', async () => {
    const jobs = (await (await fetch(`${admin}/jobs`)).json()) as { objectName: string; state: string }[];
    return jobs.some(({ objectName, state }) => objectName === newest && state === 'SEAL_OBJECT_DONE');
  });
});
