import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { Columns } from '#actors/ledger/column-record';
import { repairer } from '#actors/repair/repairer';
import type { Hex } from '#protocols/greenfield/types';
import { checksum } from '#protocols/integrity/checksums';
import { pieceKey } from '#protocols/payload/keys';
import { RECOVER_PIECE_PATH, RECOVERY_MESSAGE_HEADER } from '#protocols/replication/recovery-message';
import { type RecoveryTask, recoveryTaskDigest } from '#protocols/replication/recovery-task';
import { ByteBudget } from '#runtime/async/byte-budget';
import { natsCalls } from '#runtime/home/nats-calls';
import { accountKey } from '#runtime/keys/keyring';
import type { AccountKey } from '#runtime/keys/keys';
import { HttpPeerClient } from '#runtime/peers/http/client';
import { wireObject, wireParams } from '#runtime/peers/http/column-task';
import { silentLogger } from '#runtime/telemetry/logger';
import { noSizes } from '#runtime/telemetry/sizes';
import { noTraces } from '#runtime/telemetry/traces';
import { type ChainFixture, createBucket, seal } from '../devnet/chain/testing.ts';
import { createWaitingObject, keysOf, type WaitingObject } from './offers.ts';
import { serveSecondary } from './receive-gateway.ts';
import { join, type Secondary, startSecondary, startWorld, type World } from './secondary.ts';

/** This SP is SP 3, which has index 1 in the first group of SP 1; SP 9 is not a member. */
const US = 3;
const INDEX = 1;

interface Scene {
  readonly world: World;
  readonly fixture: ChainFixture;
  readonly us: Secondary;
  readonly endpoint: string;
  /** Sealed, with our column of it stored here. */
  readonly object: WaitingObject;
}

async function start(t: ExecutionContext, redundancy: 'EC' | 'REPLICA' = 'EC'): Promise<Scene> {
  const world = await startWorld(t, { sps: 9 });
  const { fixture } = world;
  await createBucket(fixture, 'bucket-1', 1);
  const us = await startSecondary(t, world, US);
  const repairing = us.system.spawn(
    'repairer',
    repairer({
      ...us.ports,
      journal: us.journal,
      // This test repairs nothing.
      peers: { fetchPiece: () => Promise.reject(new Error()), fetchChecksums: async () => undefined },
      sizes: noSizes,
      traces: noTraces,
      memory: new ByteBudget(2 ** 26),
      hedgeMs: 100,
      calls: natsCalls(us.home, silentLogger),
      objects: us.system.spawn('owner', idle),
      receivers: us.receivers,
    }),
  );
  const endpoint = await serveSecondary(t, us, repairing);
  const object = await createWaitingObject(fixture, 'bucket-1', { redundancy, payload: randomBytes(3_000) });
  await hold(us, object);
  await seal(fixture, { ...object, gvgId: 1 });
  return { world, fixture, us, endpoint, object };
}

const idle = { kind: 'objects', start: () => undefined, receive: () => undefined };

/** Stores our column of an object as a receiver would have. */
async function hold({ ports }: Secondary, object: WaitingObject): Promise<void> {
  const column = object.columns[INDEX] ?? [];
  for (const [segment, piece] of column.entries()) {
    await ports.pieces.put(pieceKey(object.job, segment, INDEX), piece);
  }
  const { job, checksums } = object;
  const held = {
    pieceChecksums: column.map(checksum),
    integrityHash: checksums[INDEX + 1] as Hex,
    checksums,
    at: Date.now(),
  };
  const id = { job, redundancyIndex: INDEX, from: 1, segmentCount: column.length, touchedAt: Date.now() };
  await new Columns(ports).put({ ...id, held });
}

/** The header that SP 1 sends to repair a segment, changed, and then signed with its key or another. */
async function headerOf(
  { fixture, object }: Scene,
  change: (task: RecoveryTask) => RecoveryTask = (task) => task,
  key: AccountKey = keysOf(fixture, 1).operator,
): Promise<string> {
  const found = await fixture.chain.objectById(object.job.objectId);
  if (!found) throw new Error('the object is not on chain');
  const now = Math.floor(Date.now() / 1000);
  const task = change({
    object_info: wireObject(found.object),
    storage_params: wireParams(await fixture.chain.storageParams()),
    task: { create_time: now, update_time: now },
    segment_idx: 1,
    ec_idx: -1,
    piece_size: 256,
  });
  const signature = Buffer.from(await key.sign(recoveryTaskDigest(task))).toString('base64');
  return Buffer.from(JSON.stringify({ ...task, signature })).toString('hex');
}

async function get(
  { endpoint }: Scene,
  header: string,
): Promise<{ readonly status: number; readonly code: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${endpoint}${RECOVER_PIECE_PATH}`, {
      headers: { [RECOVERY_MESSAGE_HEADER]: header },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      buffer(response).then((body) => {
        const code = Number(/<Code>([0-9]+)<\/Code>/.exec(body.toString())?.[1] ?? 0);
        resolve({ status: response.statusCode ?? 0, code, body });
      }, reject);
    });
    outgoing.end();
  });
}

function httpClient(t: ExecutionContext, { fixture, endpoint }: Scene, spId: number): HttpPeerClient {
  const { chain } = fixture;
  const client = new HttpPeerClient({
    chain,
    providers: async () =>
      (await chain.storageProviders()).map((sp) => (sp.id === US ? { ...sp, endpoint } : sp)),
    operatorKey: keysOf(fixture, spId).operator,
    allowPrivateEndpoints: true,
  });
  t.teardown(() => client.close());
  return client;
}

function requestOf(scene: Scene, segmentIndex: number) {
  const { job, columns } = scene.object;
  const length = columns[INDEX]?.[segmentIndex]?.length ?? 0;
  return { job, to: US, gvgId: 1, redundancyIndex: INDEX, segmentIndex, length };
}

for (const redundancy of ['EC', 'REPLICA'] as const) {
  test(`over HTTP the primary and another secondary can fetch our piece: ${redundancy}`, async (t) => {
    const scene = await start(t, redundancy);
    for (const asker of [1, 2, 7]) {
      const client = httpClient(t, scene, asker);
      for (const [segment, piece] of (scene.object.columns[INDEX] ?? []).entries()) {
        const fetched = await client.fetchPiece(requestOf(scene, segment));
        t.true(Buffer.from(piece).equals(fetched), `segment ${segment} for sp ${asker}`);
      }
      t.is(await client.fetchChecksums(), undefined);
    }
    const { length } = scene.object.columns[INDEX] ?? [];
    t.deepEqual(
      scene.us.ports.counts.report().map(({ spId, served }) => [spId, served.done]),
      [1, 2, 7].map((id) => [id, length]),
    );
    await t.throwsAsync(httpClient(t, scene, 9).fetchPiece(requestOf(scene, 0)), {
      code: 'fetch-refused',
      message: /50030/,
    });
  });

  test(`over NATS they can fetch it too, and its checksums: ${redundancy}`, async (t) => {
    const scene = await start(t, redundancy);
    const column = scene.object.columns[INDEX] ?? [];
    for (const asker of [1, 2]) {
      const { peers } = await join(t, scene.world, asker);
      for (const [segment, piece] of column.entries()) {
        const fetched = await peers.pieces.fetchPiece(requestOf(scene, segment));
        t.true(Buffer.from(piece).equals(fetched), `segment ${segment} for sp ${asker}`);
      }
      const list = await peers.pieces.fetchChecksums({ ...requestOf(scene, 0), segmentCount: column.length });
      t.deepEqual(list, column.map(checksum));
    }
  });
}

test('over NATS, a non-member or a request for another group or column gets nothing', async (t) => {
  const scene = await start(t);
  const [primary, stranger] = [await join(t, scene.world, 1), await join(t, scene.world, 9)];
  const fetch = (peers: typeof primary.peers, change: object) =>
    peers.pieces.fetchPiece({ ...requestOf(scene, 0), ...change });
  const cases = [
    [stranger, {}, /not-entitled/],
    [primary, { gvgId: 2 }, /wrong-group/],
    [primary, { redundancyIndex: 2 }, /not-entitled/],
    [primary, { segmentIndex: 9 }, /no-such-segment/],
    [primary, { job: { ...scene.object.job, version: 1 } }, /not-sealed/],
    [primary, { job: { objectId: '999999', version: 0 } }, /not-sealed/],
    [primary, { length: 5_000 }, /wrong-range/],
  ] as const;
  for (const [{ peers }, change, message] of cases) {
    await t.throwsAsync(fetch(peers, change), { code: 'fetch-refused', message });
  }
});

test('recovery tasks are refused with the codes of today’s SPs, in their order', async (t) => {
  const scene = await start(t);
  const { fixture, us, object } = scene;
  const info = (change: object) => (task: RecoveryTask) => ({
    ...task,
    object_info: { ...task.object_info, ...change },
  });
  const waiting = await createWaitingObject(fixture, 'bucket-1');
  const stranger = accountKey(randomBytes(32));
  const old = { create_time: 1, update_time: Math.floor(Date.now() / 1000) - 1_002 };
  const notSealed = info({ id: waiting.job.objectId, object_name: waiting.objectName });
  const cases: [number, number, string][] = [
    [400, 50005, 'no hex'],
    [400, 50005, Buffer.from('{}').toString('hex')],
    [
      400,
      50038,
      await headerOf(scene, (task) => ({ ...info({ object_name: 'x' })(task), task: old }), stranger),
    ],
    [400, 50009, await headerOf(scene, info({ object_name: 'no-such-object' }))],
    [400, 50009, await headerOf(scene, info({ id: '999' }))],
    [400, 50031, await headerOf(scene, info({ redundancy_type: 1 }))],
    [400, 50043, await headerOf(scene, notSealed)],
    [400, 50043, await headerOf(scene, info({ version: 1 }))],
    [406, 45209, await headerOf(scene, (task) => ({ ...task, ec_idx: 6 }), stranger)],
    [406, 45209, await headerOf(scene, (task) => ({ ...task, ec_idx: -2 }))],
    [400, 50030, await headerOf(scene, undefined, stranger)],
    [400, 50030, await headerOf(scene, undefined, keysOf(fixture, 9).operator)],
    // A secondary may request only the repair of its own column.
    [400, 50030, await headerOf(scene, undefined, keysOf(fixture, 2).operator)],
    [400, 50030, await headerOf(scene, (task) => ({ ...task, ec_idx: 2 }), keysOf(fixture, 2).operator)],
    [404, 85102, await headerOf(scene, (task) => ({ ...task, segment_idx: 77 }))],
  ];
  for (const [status, code, header] of cases) {
    const answer = await get(scene, header);
    t.deepEqual([answer.status, answer.code], [status, code]);
  }
  const signature = Buffer.alloc(65, 9).toString('base64');
  const json = JSON.parse(Buffer.from(await headerOf(scene), 'hex').toString()) as object;
  const forged = Buffer.from(JSON.stringify({ ...json, signature })).toString('hex');
  t.like(await get(scene, forged), { status: 406, code: 50015 });

  const good = await headerOf(scene);
  t.deepEqual((await get(scene, good)).body, Buffer.from(object.columns[INDEX]?.[1] ?? []));
  await us.ports.pieces.delete(pieceKey(object.job, 1, INDEX));
  t.like(await get(scene, good), { status: 404, code: 85102 });
});
