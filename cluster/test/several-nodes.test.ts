import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { PROGRESS_TEXT } from '#protocols/job/progress-text';
import { gate } from '#runtime/actors/testing';
import { natsJobFeed } from '#runtime/home/nats-job-feed';
import { joinPresent } from '#runtime/home/presence';
import { connectNats } from '#runtime/nats/connect';
import { patient } from '#runtime/nats/patient';
import { silentLogger as log } from '#runtime/telemetry/logger';
import { withPostgres } from '#runtime/testing/programs';
import type { NetworkSp } from '../cli/network.ts';
import type { SpClient } from '../client/sp-client.ts';
import { compiledProgram } from '../compiled.ts';
import { TakeOver } from '../devnet/take-over.ts';
import { delegatedPayload, putDelegatedAt } from './delegated-client.ts';
import { bytesOf, useNetwork } from './network.ts';
import { actorsOf, dataOf, giveRoles } from './node-roles.ts';
import type { WaitingObject } from './offers.ts';
import { persistentPut } from './persistent-put.ts';
import { until } from './until.ts';

const test = anyTest as TestFn;
const testSerial = await withPostgres(test.serial);
const SEALION = compiledProgram('cli/sealion');
const KIB = 1024;
const SEGMENT = 64 * KIB;
/** Columns of the last two are received piece by piece. */
const SIZES = [1, SEGMENT, SEGMENT + 1, 300 * KIB, 500 * KIB];
/** Longer than a lease lasts. */
const STOPPED_MS = 6_000;
/** Longer than any limit of a question to PostgreSQL. */
const DOWN_MS = 60_000;

/** Reaches SP 1, as others do, over HTTP alone: through the balancer. */
const OVER_HTTP = 2;

const network = useNetwork(test, {
  nodes: 3,
  nodeOf: (spId) => (spId === OVER_HTTP ? { peers: { wires: ['http'] } } : { gateway: { drainSeconds: 15 } }),
});

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
      return persistentPut(() => net.put(1, object), { tries: 2, pauseMs: 500 }).then(
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

/** A connection to the home plane of SP 1. */
async function homePlane(t: ExecutionContext): Promise<NatsConnection> {
  const [sp] = network().devnet.file.sps as [NetworkSp];
  const connection = await connectNats({ ...sp.nats, name: 'test', log });
  t.teardown(() => connection.close());
  return connection;
}

/** The node of SP 1 that announces objects for clients; undefined while none does. */
async function announcingNode(): Promise<string | undefined> {
  const { devnet } = network();
  for (const { name } of devnet.file.sps[0]?.nodes ?? []) {
    const announcer = (await actorsOf(devnet, name)).find(({ kind }) => kind === 'announcer');
    if (announcer?.activity?.doing.startsWith('announcing')) return name;
  }
  return undefined;
}

/** How often nodes of SP 1 have lost the roles of their announcers and signers. */
async function rolesLost(): Promise<number> {
  const { devnet } = network();
  const names = (devnet.file.sps[0]?.nodes ?? []).map(({ name }) => name);
  const actors = (await Promise.all(names.map((name) => actorsOf(devnet, name)))).flat();
  const holders = actors.filter(({ kind }) => kind === 'announcer' || kind === 'signer');
  return holders.reduce((sum, { restarts }) => sum + restarts, 0);
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

/** A payload whose second half waits. */
async function* interrupted(payload: Uint8Array, continued: Promise<unknown>): AsyncGenerator<Uint8Array> {
  const half = payload.length / 2;
  yield payload.subarray(0, half);
  await continued;
  yield payload.subarray(half);
}

testSerial('objects uploaded to any of three nodes are sealed, and each node shows them', async (t) => {
  const net = network();
  const uploads = await upload(await create(6));
  t.deepEqual(failures(uploads), []);
  await check(t, uploads);
  const jobs = async (admin: string) => (await (await net.admin(admin)).get<unknown[]>('/api/jobs')).length;
  for (const { admin } of net.devnet.file.sps[0]?.nodes ?? []) {
    await until(`${admin} shows all jobs`, async () => (await jobs(admin)) >= 6);
  }
});

testSerial('the gateways of an SP know how many they are', async (t) => {
  const connection = await homePlane(t);
  const observer = await joinPresent({ connection, what: 'gateways', node: 'observer' });
  t.teardown(() => observer.leave());
  t.is(observer.count(), 1 + 3);
});

testSerial('the command line shows the tree of each node', async (t) => {
  t.true(await until('all nodes are shown', async () => (await treesShown()).join() === 'a,,b,,c,'));
});

testSerial('parts of one upload, and questions about it, may each reach another gateway', async (t) => {
  const net = network();
  const [a, b, c] = net.gateways(1) as [SpClient, SpClient, SpClient];
  const object = await net.createObject(await net.createBucket(1), { size: 5 * SEGMENT + 321 });
  const put = (client: SpClient, segment: number) => {
    const offset = segment * SEGMENT;
    const bytes = object.payload.subarray(offset, offset + 2 * SEGMENT);
    return client.putPart(object, {
      offset,
      bytes,
      complete: offset + bytes.length === object.payload.length,
    });
  };
  await put(a, 0);
  t.is(await b.resumeOffset(object), 2 * SEGMENT);
  await put(b, 2);
  t.is((await c.progress(object)).description, PROGRESS_TEXT.UPLOAD_OBJECT_DOING);
  await put(c, 2);
  await put(c, 4);
  await net.sealed(object);
  for (const client of [a, b, c]) t.true((await bytesOf(client, object)).equals(object.payload));
  t.is((await net.job(1, object.job))?.context.uploadAttempt, 1);
});

testSerial('a repeated PUT at another gateway is refused, during the first and after it', async (t) => {
  const net = network();
  const [a, b, c] = net.gateways(1) as [SpClient, SpClient, SpClient];
  const object = await net.createObject(await net.createBucket(1), { size: 2 * SEGMENT });
  const rest = gate();
  const put = (client: SpClient, body: AsyncIterable<Uint8Array> = Readable.from([object.payload])) =>
    client.put(object, { body, size: object.payload.length, contentType: 'application/octet-stream' });
  const first = put(a, interrupted(object.payload, rest.opened));
  await until(
    'it is being uploaded',
    async () => (await c.progress(object)).description === PROGRESS_TEXT.UPLOAD_OBJECT_DOING,
  );
  await t.throwsAsync(put(b), { message: /110003/ });
  rest.open();
  await first;
  await t.throwsAsync(put(b), { message: /110003|110006/ });
  await net.sealed(object);
  await t.throwsAsync(put(c), { message: /20003/ });
  t.is((await net.job(1, object.job))?.context.uploadAttempt, 1);
});

testSerial('delegated uploads of one name at two gateways cost one announcement', async (t) => {
  const net = network();
  const upload = delegatedPayload(await net.createBucket(1), SEGMENT + 5);
  const operator = net.devnet.file.sps[0]?.operatorAddress ?? '';
  const before = await net.chain.account(operator);
  const losses = await rolesLost();
  const puts = await Promise.allSettled(
    net
      .gateways(1)
      .slice(0, 2)
      .map(({ endpoint }) => putDelegatedAt(net, endpoint.href, upload)),
  );
  t.true(puts.some(({ status }) => status === 'fulfilled'));
  for (const put of puts) {
    if (put.status === 'rejected') t.regex(String(put.reason), /Code>(110003|110006|50010)</);
  }
  await until('it is sealed', async () => {
    const found = await net.chain.object(upload.bucketName, upload.objectName);
    return found?.object.status === 'SEALED';
  });
  t.true((await net.get(1, upload)).equals(upload.payload));
  const transactions = ((await net.chain.account(operator))?.sequence ?? 0) - (before?.sequence ?? 0);
  // When the machine stalls for longer than a lease lasts, another node may announce it again.
  t.true(transactions === 1 || (await rolesLost()) > losses, `${transactions} transactions`);
});

testSerial('a delegated upload does not notice that the node that announces is suspended', async (t) => {
  const net = network();
  const name = await until('a node announces', announcingNode);
  const announcing = net.devnet.sp(1, name);
  const gateway = net.devnet.file.sps[0]?.nodes?.find((node) => node.name !== name)?.gateway ?? '';
  const upload = delegatedPayload(await net.createBucket(1), SEGMENT + 5);
  announcing.signal('SIGSTOP');
  await putDelegatedAt(net, gateway, upload).finally(() => announcing.signal('SIGCONT'));
  await until('it is sealed', async () => {
    const found = await net.chain.object(upload.bucketName, upload.objectName);
    return found?.object.status === 'SEALED';
  });
  t.true((await net.get(1, upload)).equals(upload.payload));
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

testSerial('a node that is asked to stop gives its jobs back, and its uploads have their time', async (t) => {
  const net = network();
  const { devnet } = net;
  const connection = await homePlane(t);
  const manager = await jetstreamManager(patient(connection));
  // So long that another node has the job only if it was given back.
  await manager.consumers.update('JOBS', 'workers', { ack_wait: nanos(600_000) });
  const bucketName = await net.createBucket(1);
  const object = await net.createObject(bucketName, { size: 24 * SEGMENT });
  const slow = await Promise.all([1, 2, 3].map(() => net.createObject(bucketName, { size: 2 * SEGMENT })));
  const rest = gate();
  const takeOver = new TakeOver({
    kill: (node) => devnet.sp(1, node).kill('SIGTERM'),
    onKilled: () => rest.open(),
  });
  const heard = new AbortController();
  const hearing = (async () => {
    const announcements = natsJobFeed(connection, log).watch({ job: object.job, signal: heard.signal });
    for await (const announcement of announcements) takeOver.hear(announcement);
  })();
  const puts = net.gateways(1).map(async (client, i) => {
    const { payload, ...address } = slow[i] as WaitingObject;
    const body = interrupted(payload, rest.opened);
    await client.put(address, { body, size: payload.length, contentType: 'application/octet-stream' });
  });
  const begun = async ({ job }: WaitingObject) => (await net.job(1, job))?.context.state;
  for (const one of slow) {
    await until('it is being uploaded', async () => (await begun(one)) === 'UPLOAD_OBJECT_DOING');
  }
  await net.put(1, object);
  takeOver.acknowledged();
  await Promise.all(puts);
  await check(
    t,
    [object, ...slow].map((one) => ({ object: one, isAcknowledged: true })),
  );
  const { killed, successor } = await takeOver.end();
  t.not(successor, killed);
  heard.abort();
  await hearing;
  // It sets the time of the leases to what it was.
  await devnet.sp(1, killed).start();
});

testSerial('a suspended node is fenced when it continues, and serves again', async (t) => {
  const { devnet } = network();
  const uploading = upload(await create(10));
  await sleep(800);
  const suspended = devnet.sp(1, 'c');
  suspended.signal('SIGSTOP');
  const [shown] = await Promise.all([treesShown(), sleep(STOPPED_MS)]);
  suspended.signal('SIGCONT');
  t.deepEqual(shown.slice(-2), ['c', '  does not answer'], 'by the command line');
  await check(t, await uploading);
  const again = await upload(await create(3));
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

testSerial('a column that comes over HTTP is received by whichever nodes its pieces reach', async (t) => {
  const net = network();
  const bucketName = await net.createBucket(OVER_HTTP);
  const sizes = [10 * SEGMENT, 11 * SEGMENT, 12 * SEGMENT, SEGMENT];
  const objects = await Promise.all(sizes.map((size) => net.createObject(bucketName, { size })));
  await Promise.all(objects.map((object) => net.put(OVER_HTTP, object)));
  for (const object of objects) {
    const { gvg } = await net.sealed(object);
    t.true(gvg?.secondarySpIds.includes(1));
  }
  const received = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const log = await readFile(join(dirname(net.devnet.path), 'state', 'log', `sp1-${name}.log`), 'utf8');
      return log.split('\n').filter((line) => line.includes('replicate-piece')).length;
    }),
  );
  t.true(received.filter((count) => count > 0).length > 1, `pieces received by each node: ${received}`);
});

testSerial('uploads go on while PostgreSQL is down for a minute, and it catches up', async (t) => {
  const net = network();
  const { devnet } = net;
  await devnet.postgres?.stop();
  const down = sleep(DOWN_MS);
  const uploads = await upload(await create(5));
  t.deepEqual(failures(uploads), []);
  await check(t, uploads);
  await down;
  await devnet.postgres?.start();
  const newest = uploads.at(-1)?.object.objectName;
  const api = await net.admin(devnet.file.sps[0]?.admin ?? '');
  await until('the SQL DB has caught up', async () => {
    const jobs = await api.get<readonly { objectName: string; state: string }[]>('/api/jobs');
    return jobs.some(({ objectName, state }) => objectName === newest && state === 'SEAL_OBJECT_DONE');
  });
});

testSerial('with roles apart, a gateway takes uploads that others seal, and each node may die', async (t) => {
  const { devnet } = network();
  await giveRoles(devnet, { a: ['gateway'], b: ['task', 'keeper'], c: ['receiver', 'task', 'keeper'] });
  const [a, b] = await Promise.all(
    ['a', 'b'].map(async (name) => (await actorsOf(devnet, name)).map((actor) => actor.name)),
  );
  t.false(a?.includes('jobs') || a?.includes('caretaker'), `a: ${a}`);
  t.true(b?.includes('jobs') && b.includes('caretaker'), `b: ${b}`);
  const column = await network().createObject(await network().createBucket(3), { size: 3 * SEGMENT });
  for (const name of ['b', 'c', 'a']) {
    const objects = await create(5);
    const uploading = upload(objects);
    await sleep(400);
    await devnet.sp(1, name).kill('SIGKILL');
    if (name === 'c') await network().put(3, column);
    if (name !== 'b') await devnet.sp(1, name).start();
    const uploads = await uploading;
    if (name !== 'a') t.deepEqual(failures(uploads), [], `${name} is no gateway`);
    await check(t, uploads);
    if (name === 'b') await devnet.sp(1, name).start();
  }
  t.true((await network().sealed(column)).gvg?.secondarySpIds.includes(1), 'received after the restart');
  t.deepEqual(await dataOf(devnet, 'a'), [], 'a gateway stores nothing in its data folder');
  t.deepEqual(await dataOf(devnet, 'b'), ['leases']);
});
