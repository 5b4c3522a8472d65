import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { Columns } from '#actors/ledger/column-record';
import { Terminal } from '#protocols/errors';
import { checksum } from '#protocols/integrity/checksums';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import { checkReceipt } from '#protocols/replication/receipts';
import { verifySealSignature } from '#protocols/sealing/seal';
import { accountKey } from '#runtime/keys/keyring';
import { HttpPeerClient } from '#runtime/peers/http/client';
import type { TaskStep } from '#runtime/peers/http/column-task';
import type { ColumnOffer } from '#runtime/peers/peers';
import { type ChainFixture, createBucket } from '../devnet/chain/testing.ts';
import { createWaitingObject, encode, keysOf, offerOf, type WaitingObject } from './offers.ts';
import { headerOf, putTask, serveSecondary, type TaskAnswer, type Unsigned } from './receive-gateway.ts';
import {
  type Secondary,
  type SecondaryOptions,
  startSecondary,
  startWorld,
  temporaryDirectory,
  until,
} from './secondary.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
const US = 3;
const INDEX = 1;

interface Scene {
  readonly fixture: ChainFixture;
  readonly us: Secondary;
  readonly endpoint: string;
  /** Restarts this SP with the same ledger. */
  restart(): Promise<Scene>;
}

async function start(
  t: ExecutionContext,
  options: { readonly world?: Parameters<typeof startWorld>[1] } & SecondaryOptions = {},
): Promise<Scene> {
  const world = await startWorld(t, options.world);
  await createBucket(world.fixture, 'bucket-1', 1);
  const directory = options.directory ?? (await temporaryDirectory(t));
  const open = async (): Promise<Scene> => {
    const us = await startSecondary(t, world, US, { ...options, directory });
    const restart = async () => {
      await us.stop();
      return open();
    };
    return { fixture: world.fixture, us, endpoint: await serveSecondary(t, us), restart };
  };
  return open();
}

/** The client of SP 1, which finds this SP at its endpoint. */
function primary(t: ExecutionContext, { fixture, endpoint }: Scene): HttpPeerClient {
  const { chain } = fixture;
  const client = new HttpPeerClient({
    chain,
    providers: async () =>
      (await chain.storageProviders()).map((sp) => (sp.id === US ? { ...sp, endpoint } : sp)),
    operatorKey: keysOf(fixture, 1).operator,
    allowPrivateEndpoints: true,
  });
  t.teardown(() => client.close());
  return client;
}

async function offered(fixture: ChainFixture, object: WaitingObject, gvgId = 1): Promise<ColumnOffer> {
  return { ...(await offerOf(fixture, object, { redundancyIndex: INDEX, gvgId })), approval: '' };
}

function pieceOf(object: WaitingObject, segmentIndex: number): Uint8Array {
  return object.columns[INDEX]?.[segmentIndex] ?? new Uint8Array();
}

function stepOf(object: WaitingObject, segmentIndex: number): TaskStep {
  const bytes = pieceOf(object, segmentIndex);
  return { segmentIndex, pieceSize: bytes.length, pieceChecksum: checksum(bytes) };
}

function end({ checksums }: WaitingObject): TaskStep {
  return { finished: true, checksums };
}

async function put(endpoint: string, header: string, body?: Uint8Array): Promise<TaskAnswer> {
  const sent = putTask(endpoint, header);
  sent.end(body);
  return sent.answer;
}

async function putPiece(scene: Scene, object: WaitingObject, segmentIndex: number): Promise<TaskAnswer> {
  const offer = await offered(scene.fixture, object);
  const header = await headerOf(scene.fixture, offer, stepOf(object, segmentIndex));
  return put(scene.endpoint, header, pieceOf(object, segmentIndex));
}

async function finish(scene: Scene, object: WaitingObject, gvgId = 1): Promise<TaskAnswer> {
  const offer = await offered(scene.fixture, object, gvgId);
  return put(scene.endpoint, await headerOf(scene.fixture, offer, end(object)));
}

function refusal({ status, code }: TaskAnswer): [number, number] {
  return [status, code];
}

async function checkAgainstChain({ fixture }: Scene, object: WaitingObject, receipt: Receipt): Promise<void> {
  const { chain } = fixture;
  const { job, checksums } = object;
  const gvg = await chain.gvg(receipt.gvgId);
  const us = (await chain.storageProviders()).find(({ id }) => id === US);
  if (!gvg || !us) throw new Error('the chain does not know us');
  const subject = { chainId: chain.chainId, objectId: job.objectId, gvg, redundancyIndex: INDEX, checksums };
  await checkReceipt(receipt, subject, us, 'http', verifySealSignature);
}

async function nothingStored(t: ExecutionContext, { us }: Scene, { job }: WaitingObject): Promise<void> {
  t.is(await new Columns(us.ports).get({ job, redundancyIndex: INDEX }), undefined);
  for (const segment of [0, 1, 2]) {
    t.is(await us.ports.pieces.stat(pieceKey(job, segment, INDEX)), undefined);
  }
}

test('a column arrives piece by piece, and is signed for at the end', async (t) => {
  const scene = await start(t);
  const client = primary(t, scene);
  for (const redundancy of ['EC', 'REPLICA'] as const) {
    const object = await createWaitingObject(scene.fixture, 'bucket-1', { redundancy });
    const session = await client.open(await offered(scene.fixture, object), {});
    for (const [segmentIndex, bytes] of (object.columns[INDEX] ?? []).entries()) {
      await session.send({ segmentIndex, bytes });
    }
    const receipt = await session.done(object.checksums);
    session.close();
    await t.notThrowsAsync(checkAgainstChain(scene, object, receipt));
    for (const [segment, piece] of (object.columns[INDEX] ?? []).entries()) {
      const stored = await scene.us.ports.pieces.get(pieceKey(object.job, segment, INDEX));
      t.is(checksum(stored), checksum(piece));
    }
    const record = await new Columns(scene.us.ports).get({ job: object.job, redundancyIndex: INDEX });
    t.is(record?.receipt?.blsSignature, receipt.blsSignature);
    t.is(record?.receipt?.approvalSignature.length, 130, 'for a primary that asks over NATS later');
    t.deepEqual(record?.held?.checksums, object.checksums);
  }
  await until(() => scene.us.system.tree().children.every(({ children }) => children.length === 0));
});

test('each check has its own code, and the first that fails decides', async (t) => {
  const scene = await start(t);
  const { fixture, endpoint } = scene;
  const object = await createWaitingObject(fixture, 'bucket-1');
  const sealed = await createWaitingObject(fixture, 'bucket-1');
  await seal(fixture, sealed);
  const stranger = accountKey(randomBytes(32));
  const offer = await offered(fixture, object);
  const step = stepOf(object, 0);
  const wrongBody = new Uint8Array(pieceOf(object, 0).length);

  const send = async (change: (task: Unsigned) => Unsigned, key = keysOf(fixture, 1).operator) =>
    refusal(await put(endpoint, await headerOf(fixture, offer, step, change, key), wrongBody));
  const info = (fields: object) => (task: Unsigned) => ({
    ...task,
    object_info: { ...task.object_info, ...fields },
  });
  const noGroup = (task: Unsigned) => ({ ...task, global_virtual_group_id: 99 });
  const wrongPlace = (task: Unsigned) => ({ ...task, redundancy_idx: 2 });
  const reversed = info({
    checksums: [...object.checksums].reverse().map((hex) => Buffer.from(hex, 'hex').toString('base64')),
  });
  const old = (task: Unsigned) => ({ ...task, task: { create_time: 1, update_time: 1 } });
  const unknown = info({ id: '99' });

  t.deepEqual(refusal(await put(endpoint, 'zz', wrongBody)), [400, 50005]);
  const broken = await headerOf(fixture, offer, step, (task) => old(unknown(noGroup(task))));
  const unsigned = JSON.parse(Buffer.from(broken, 'hex').toString());
  const noSignature = Buffer.from(JSON.stringify({ ...unsigned, signature: 'AAAA' })).toString('hex');
  t.deepEqual(refusal(await put(endpoint, noSignature, wrongBody)), [406, 50015]);
  t.deepEqual(await send((task) => old(unknown(noGroup(task))), stranger), [400, 50038]);
  t.deepEqual(await send((task) => unknown(noGroup(task)), stranger), [404, 50025]);
  t.deepEqual(await send(unknown), [404, 50025]);
  t.deepEqual(await send((task) => info({ id: sealed.job.objectId })(noGroup(task)), stranger), [400, 50042]);
  t.deepEqual(await send(noGroup, stranger), [500, 55001]);
  t.deepEqual(await send((task) => wrongPlace(reversed(task)), stranger), [406, 50041]);
  t.deepEqual(await send((task) => wrongPlace(task), keysOf(fixture, 2).operator), [406, 50041]);
  t.deepEqual(await send((task) => wrongPlace(reversed(task))), [406, 50039]);
  t.deepEqual(await send((task) => ({ ...task, redundancy_idx: -1 })), [406, 50039]);
  t.deepEqual(await send((task) => ({ ...task, redundancy_idx: 7 })), [406, 50039]);
  for (const change of [
    reversed,
    info({ checksums: [] }),
    info({ payload_size: 1 }),
    info({ object_name: 'another' }),
    info({ redundancy_type: 1 }),
    (task: Unsigned) => ({ ...task, segment_idx: 3 }),
    (task: Unsigned) => ({ ...task, piece_size: 1 }),
  ]) {
    t.deepEqual(await send(change), [400, 50009], change.toString());
  }
  t.deepEqual(await send((task) => task), [406, 80004]);
  t.is(await scene.us.ports.pieces.stat(pieceKey(object.job, 0, INDEX)), undefined);
  const shorter = await headerOf(fixture, offer, step);
  t.deepEqual(refusal(await put(endpoint, shorter, pieceOf(object, 0).subarray(1))), [406, 80004]);
  t.deepEqual(
    refusal(await put(endpoint, shorter, Buffer.concat([pieceOf(object, 0), Buffer.of(0)]))),
    [406, 80004],
  );
  t.is(await scene.us.ports.pieces.stat(pieceKey(object.job, 0, INDEX)), undefined);
  await nothingStored(t, scene, sealed);
});

async function seal(
  fixture: ChainFixture,
  { bucketName, objectName, job, checksums }: WaitingObject,
): Promise<void> {
  const operator = fixture.sp(1, 'seal');
  await operator.send({
    typeUrl: '/greenfield.storage.MsgSealObject',
    value: {
      operator: operator.address,
      bucketName,
      objectName,
      globalVirtualGroupId: 1,
      secondarySpBlsAggSignatures: fixture.aggregate([2, 3, 4, 5, 6, 7], 1, job.objectId, checksums),
    },
  });
}

test('a repeated piece and a repeated end change nothing, even after a restart', async (t) => {
  const scene = await start(t);
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  for (const segment of [0, 0, 1, 2, 1])
    t.deepEqual(refusal(await putPiece(scene, object, segment)), [200, 0]);
  const first = await finish(scene, object);
  const again = await finish(scene, object);
  t.is(first.status, 200);
  t.deepEqual(
    again.headers['x-gnfd-integrity-hash-signature'],
    first.headers['x-gnfd-integrity-hash-signature'],
  );
  const restarted = await scene.restart();
  t.deepEqual(refusal(await putPiece(restarted, object, 2)), [200, 0]);
  const later = await finish(restarted, object);
  t.deepEqual(
    later.headers['x-gnfd-integrity-hash-signature'],
    first.headers['x-gnfd-integrity-hash-signature'],
  );
  t.is(first.headers['x-gnfd-integrity-hash'], object.checksums[INDEX + 1]);
});

test('a column with a piece missing is not signed for, and can be completed; pieces come in any order', async (t) => {
  const scene = await start(t);
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  t.deepEqual(refusal(await finish(scene, object)), [403, 80003]);
  await nothingStored(t, scene, object);
  await putPiece(scene, object, 2);
  await putPiece(scene, object, 0);
  t.deepEqual(refusal(await finish(scene, object)), [403, 80003]);
  const restarted = await scene.restart();
  await putPiece(restarted, object, 1);
  t.is((await finish(restarted, object)).status, 200);
});

test('a piece in transit is refused a second time, while other pieces continue', async (t) => {
  const scene = await start(t);
  const { fixture, endpoint } = scene;
  const object = await createWaitingObject(fixture, 'bucket-1');
  const offer = await offered(fixture, object);
  const slow = putTask(endpoint, await headerOf(fixture, offer, stepOf(object, 0)));
  slow.write(pieceOf(object, 0).subarray(0, 1));
  await until(async () => refusal(await putPiece(scene, object, 0))[1] === 80002);
  t.deepEqual(refusal(await finish(scene, object)), [406, 80002]);
  t.deepEqual(refusal(await putPiece(scene, object, 1)), [200, 0]);
  slow.end(pieceOf(object, 0).subarray(1));
  t.is((await slow.answer).status, 200);
  await putPiece(scene, object, 2);
  t.is((await finish(scene, object)).status, 200);
});

test('an interrupted piece is not stored, and can be sent again', async (t) => {
  const scene = await start(t);
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  const offer = await offered(scene.fixture, object);
  const broken = putTask(scene.endpoint, await headerOf(scene.fixture, offer, stepOf(object, 0)));
  broken.write(pieceOf(object, 0).subarray(0, 100));
  await until(() => scene.us.system.tree().children.some(({ children }) => children.length > 0));
  broken.destroy();
  await until(async () => refusal(await putPiece(scene, object, 0))[1] === 0);
  const stored = await scene.us.ports.pieces.get(pieceKey(object.job, 0, INDEX));
  t.is(checksum(stored), checksum(pieceOf(object, 0)));
});

test('pieces of an earlier try can be replaced, those of a finished column cannot', async (t) => {
  const scene = await start(t);
  const { fixture, us, endpoint } = scene;
  const object = await createWaitingObject(fixture, 'bucket-1');
  const rotten = new Uint8Array(pieceOf(object, 1).length).fill(0xee);
  await us.ports.pieces.put(pieceKey(object.job, 1, INDEX), rotten);
  for (const segment of [0, 2]) await putPiece(scene, object, segment);
  t.deepEqual(refusal(await finish(scene, object)), [406, 80004]);
  t.deepEqual(refusal(await putPiece(scene, object, 1)), [200, 0]);
  t.is((await finish(scene, object)).status, 200);

  const step = { segmentIndex: 1, pieceSize: rotten.length, pieceChecksum: checksum(rotten) };
  const header = await headerOf(fixture, await offered(fixture, object), step);
  t.deepEqual(refusal(await put(endpoint, header, rotten)), [406, 80004]);
  const stored = await us.ports.pieces.get(pieceKey(object.job, 1, INDEX));
  t.is(checksum(stored), checksum(pieceOf(object, 1)));
});

test('a finished column is signed for again, without its pieces, in another group where our index is the same', async (t) => {
  const other = { id: 99, familyId: 1, primarySpId: 1, secondarySpIds: [2, 3, 7, 6, 5, 4] };
  const scene = await start(t, { world: { moreGvgs: [other] } });
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  for (const segment of [0, 1, 2]) await putPiece(scene, object, segment);
  const signatures = [];
  for (const gvgId of [1, other.id]) {
    const { headers } = await finish(scene, object, gvgId);
    const blsSignature = String(headers['x-gnfd-integrity-hash-signature']);
    const integrityHash = object.checksums[INDEX + 1] ?? '';
    const receipt = {
      redundancyIndex: INDEX,
      spId: US,
      gvgId,
      integrityHash,
      approvalSignature: '',
      blsSignature,
    };
    await t.notThrowsAsync(checkAgainstChain(scene, object, receipt));
    signatures.push(blsSignature);
  }
  t.not(signatures[0], signatures[1]);
});

test('an object unknown to our chain node is waited for', async (t) => {
  const scene = await start(t, { timing: { taskLagMs: 20_000 } });
  const { fixture, endpoint } = scene;
  const first = await createWaitingObject(fixture, 'bucket-1');
  const next = { objectId: String(Number(first.job.objectId) + 1), version: 0 };
  const encoded = await encode(fixture, randomBytes(3000));
  const late = { ...first, ...encoded, job: next, objectName: 'late' };
  const change = (task: Unsigned) => {
    const checksums = late.checksums.map((hex) => Buffer.from(hex, 'hex').toString('base64'));
    return {
      ...task,
      object_info: { ...task.object_info, id: next.objectId, object_name: 'late', checksums },
    };
  };
  const header = await headerOf(fixture, await offered(fixture, first), stepOf(late, 0), change);
  const answer = put(endpoint, header, pieceOf(late, 0));
  await fixture.user.createObject({ ...late, payloadSize: 3000 });
  t.deepEqual(refusal(await answer), [200, 0]);
});

test('for a delegated upload, the checksums of the primary count', async (t) => {
  const scene = await start(t);
  const { fixture } = scene;
  const encoded = await encode(fixture, randomBytes(3000));
  const operator = fixture.sp(1, 'operator');
  await operator.send({
    typeUrl: '/greenfield.storage.MsgDelegateCreateObject',
    value: {
      operator: operator.address,
      creator: fixture.user.address,
      bucketName: 'bucket-1',
      objectName: 'delegated',
      payloadSize: 3000n,
      contentType: '',
      visibility: 'PRIVATE',
      expectChecksums: [],
      redundancyType: 'EC',
    },
  });
  const onChain = await fixture.chain.object('bucket-1', 'delegated');
  const job = { objectId: onChain?.object.id ?? '', version: 0 };
  const object = { ...encoded, job, bucketName: 'bucket-1', objectName: 'delegated' };
  for (const segment of [0, 1, 2]) t.is((await putPiece(scene, object, segment)).status, 200);
  const told = async (checksums: readonly string[]) => finish(scene, { ...object, checksums });
  t.deepEqual(refusal(await told([])), [400, 50009]);
  t.deepEqual(refusal(await told([...object.checksums].reverse())), [406, 80004]);
  const otherPrimary = await told(['00'.repeat(32), ...object.checksums.slice(1)]);
  t.is(otherPrimary.status, 200);
  const right = await told(object.checksums);
  t.not(
    right.headers['x-gnfd-integrity-hash-signature'],
    otherPrimary.headers['x-gnfd-integrity-hash-signature'],
  );
  const blsSignature = String(right.headers['x-gnfd-integrity-hash-signature']);
  const integrityHash = object.checksums[INDEX + 1] ?? '';
  const receipt = {
    redundancyIndex: INDEX,
    spId: US,
    gvgId: 1,
    integrityHash,
    approvalSignature: '',
    blsSignature,
  };
  await t.notThrowsAsync(checkAgainstChain(scene, object, receipt));
});

test('a column without room for it is refused at its first piece', async (t) => {
  const scene = await start(t, { freeBytes: 0 });
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  t.deepEqual(refusal(await putPiece(scene, object, 0)), [406, 60003]);
  await nothingStored(t, scene, object);
});

test('a column that cannot be recorded is not signed for', async (t) => {
  const scene = await start(t);
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  for (const segment of [0, 1, 2]) await putPiece(scene, object, segment);
  await scene.us.journal.close();
  t.deepEqual(refusal(await finish(scene, object)), [500, 85201]);
});

test('our own client gets the reason of a refusal', async (t) => {
  const scene = await start(t);
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  const client = primary(t, scene);
  const session = await client.open(await offered(scene.fixture, object), {});
  const refused = { instanceOf: Terminal, code: 'offer-refused', message: /50009/ };
  await t.throwsAsync(session.send({ segmentIndex: 0, bytes: new Uint8Array(5) }), refused);
  const admitted = await client.ask(
    {
      ...(await offered(scene.fixture, object)),
      primarySpId: 1,
      groups: [{ gvgId: 1, secondarySpIds: [2, 3, 4, 5, 6, 7] }],
    },
    US,
    new AbortController().signal,
  );
  t.deepEqual(admitted.granted, [{ gvgId: 1, redundancyIndex: INDEX }]);
});
