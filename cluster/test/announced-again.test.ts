import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { Columns } from '#actors/ledger/column-record';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import { checkReceipt } from '#protocols/replication/receipts';
import { verifySealSignature } from '#protocols/sealing/seal';
import { HttpPeerClient } from '#runtime/peers/http/client';
import type { ColumnOffer, PeerClient, ReplicationSession } from '#runtime/peers/peers';
import { createBucket, seal } from '../devnet/chain/testing.ts';
import { createWaitingObject, encode, keysOf, offerOf, type WaitingObject } from './offers.ts';
import { serveSecondary } from './receive-gateway.ts';
import { join, type Secondary, startSecondary, startWorld, type World } from './secondary.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
const US = 3;
const INDEX = 1;
/** Another group in which it has the same index. */
const OTHER_GROUP = { id: 99, familyId: 1, primarySpId: 1, secondarySpIds: [2, 3, 7, 6, 5, 4] };
const WIRES = ['nats', 'http'] as const;
type Wire = (typeof WIRES)[number];

interface Scene {
  readonly world: World;
  readonly us: Secondary;
  readonly wire: Wire;
  readonly primary: Pick<PeerClient, 'open'>;
}

async function start(t: ExecutionContext, wire: Wire): Promise<Scene> {
  const world = await startWorld(t, { moreGvgs: [OTHER_GROUP] });
  const { fixture } = world;
  await createBucket(fixture, 'bucket-1', 1);
  const us = await startSecondary(t, world, US);
  if (wire === 'nats') return { world, us, wire, primary: (await join(t, world, 1)).peers.client };
  const endpoint = await serveSecondary(t, us);
  const primary = new HttpPeerClient({
    chain: fixture.chain,
    providers: async () =>
      (await fixture.chain.storageProviders()).map((sp) => (sp.id === US ? { ...sp, endpoint } : sp)),
    operatorKey: keysOf(fixture, 1).operator,
    allowPrivateEndpoints: true,
  });
  t.teardown(() => primary.close());
  return { world, us, wire, primary };
}

async function offer({ world, wire }: Scene, object: WaitingObject, gvgId: number): Promise<ColumnOffer> {
  const made = await offerOf(world.fixture, object, { redundancyIndex: INDEX, gvgId });
  return wire === 'http' ? { ...made, approval: '' } : made;
}

async function send(
  session: ReplicationSession,
  { columns, checksums }: WaitingObject,
): Promise<{ receipt: Receipt; firstMissing: number }> {
  const { firstMissing } = session;
  for (const [segmentIndex, bytes] of (columns[INDEX] ?? []).entries()) {
    if (segmentIndex >= firstMissing) await session.send({ segmentIndex, bytes });
  }
  return { receipt: await session.done(checksums), firstMissing };
}

async function replicate(scene: Scene, object: WaitingObject, gvgId = 1) {
  const session = await scene.primary.open(await offer(scene, object, gvgId), {});
  try {
    return await send(session, object);
  } finally {
    session.close();
  }
}

/** Checks that the receipt covers all of this content, and that exactly its column is stored. */
async function holds(
  t: ExecutionContext,
  { world, us, wire }: Scene,
  object: WaitingObject,
  receipt: Receipt,
): Promise<void> {
  const { chain } = world.fixture;
  const { job, checksums } = object;
  const gvg = await chain.gvg(receipt.gvgId);
  const sp = (await chain.storageProviders()).find(({ id }) => id === US);
  if (!gvg || !sp) throw new Error('the chain does not know us');
  const subject = { chainId: chain.chainId, objectId: job.objectId, gvg, redundancyIndex: INDEX, checksums };
  await t.notThrowsAsync(checkReceipt(receipt, subject, sp, wire, verifySealSignature));
  const pieces = object.columns[INDEX] ?? [];
  for (const [segment, piece] of pieces.entries()) {
    t.deepEqual(Buffer.from(await us.ports.pieces.get(pieceKey(job, segment, INDEX))), Buffer.from(piece));
  }
  t.is(await us.ports.pieces.stat(pieceKey(job, pieces.length, INDEX)), undefined);
  const record = await new Columns(us.ports).get({ job, redundancyIndex: INDEX });
  t.deepEqual(record?.held?.checksums, checksums);
}

/** A sealed object of the user. */
async function sealed({ world: { fixture } }: Scene): Promise<WaitingObject> {
  const object = await createWaitingObject(fixture, 'bucket-1');
  await seal(fixture, object);
  return object;
}

/** Announces new content as version 1, in place of the previous announcement. */
async function announce(
  { world: { fixture } }: Scene,
  { job, bucketName, objectName }: WaitingObject,
  payload: Uint8Array,
): Promise<WaitingObject> {
  const { user, chain } = fixture;
  const pending = (await chain.objectById(job.objectId))?.update;
  if (pending) {
    const value = { operator: user.address, bucketName, objectName };
    await user.send({ typeUrl: '/greenfield.storage.MsgCancelUpdateObjectContent', value });
  }
  const next = await encode(fixture, payload);
  await user.updateObject({ bucketName, objectName, checksums: next.checksums, payloadSize: payload.length });
  return { ...next, job: { objectId: job.objectId, version: 1 }, bucketName, objectName };
}

for (const wire of WIRES) {
  test(`over ${wire}, content that was announced again is received again, five times in a row`, async (t) => {
    const scene = await start(t, wire);
    const object = await sealed(scene);
    for (const size of [5_000, 3_000, 3_000, 1_000, 4_000]) {
      const update = await announce(scene, object, randomBytes(size));
      const { receipt, firstMissing } = await replicate(scene, update);
      t.is(firstMissing, 0);
      await holds(t, scene, update, receipt);
    }
  });

  test(`over ${wire}, the same column in other content is signed for with that content's checksums`, async (t) => {
    const scene = await start(t, wire);
    const object = await sealed(scene);
    const payload = randomBytes(3_000);
    const first = await announce(scene, object, payload);
    const before = await replicate(scene, first);
    // The first byte lies in column 0, ours is column 1.
    const again = await announce(scene, object, payload.with(0, (payload[0] ?? 0) ^ 1));
    t.is(again.checksums[INDEX + 1], first.checksums[INDEX + 1]);
    const after = await replicate(scene, again);
    t.not(after.receipt.blsSignature, before.receipt.blsSignature);
    await holds(t, scene, again, after.receipt);
  });

  test(`over ${wire}, a column with lost pieces is received again before it is signed for again`, async (t) => {
    const scene = await start(t, wire);
    const object = await createWaitingObject(scene.world.fixture, 'bucket-1');
    await replicate(scene, object);
    await scene.us.ports.pieces.delete(pieceKey(object.job, 1, INDEX));
    // Over HTTP a primary learns at the end that pieces are missing, and sends them with its next try.
    if (wire === 'http') await t.throwsAsync(replicate(scene, object, OTHER_GROUP.id));
    const again = await replicate(scene, object, OTHER_GROUP.id);
    t.is(again.firstMissing, wire === 'nats' ? 1 : 0);
    await holds(t, scene, object, again.receipt);
  });
}

test('a column recorded before announcements were kept is answered as before', async (t) => {
  const scene = await start(t, 'nats');
  const object = await createWaitingObject(scene.world.fixture, 'bucket-1');
  const first = await replicate(scene, object, OTHER_GROUP.id);
  const columns = new Columns(scene.us.ports);
  const record = await columns.get({ job: object.job, redundancyIndex: INDEX });
  if (!record) throw new Error('there is no record');
  const { announcement, ...old } = record;
  t.deepEqual(announcement?.checksums, object.checksums);
  await columns.put(old);
  const again = await replicate(scene, object);
  t.is(again.firstMissing, object.columns[INDEX]?.length ?? 0);
  await holds(t, scene, object, again.receipt);
  t.is(again.receipt.integrityHash, first.receipt.integrityHash);
});
