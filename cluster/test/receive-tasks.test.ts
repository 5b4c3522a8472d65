import { randomBytes } from 'node:crypto';
import test from 'ava';
import { Columns } from '#actors/ledger/column-record';
import { checksum } from '#protocols/integrity/checksums';
import { pieceKey } from '#protocols/payload/keys';
import { createWaitingObject, encode } from './offers.ts';
import { headerOf, putTask, type Unsigned } from './receive-gateway.ts';
import {
  checkAgainstChain,
  clientOfPrimary,
  finish,
  INDEX,
  nothingStored,
  offered,
  pieceOf,
  put,
  putPiece,
  refusal,
  startScene,
  stepOf,
  US,
} from './receive-scene.ts';
import { until } from './secondary.ts';

test('a column arrives piece by piece, and is signed for at the end', async (t) => {
  const scene = await startScene(t);
  const client = clientOfPrimary(t, scene);
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

test('a repeated piece and a repeated end change nothing, even after a restart', async (t) => {
  const scene = await startScene(t);
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
  const scene = await startScene(t);
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
  const scene = await startScene(t);
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
  const scene = await startScene(t);
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
  const scene = await startScene(t);
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
  const scene = await startScene(t, { world: { moreGvgs: [other] } });
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
  const scene = await startScene(t, { timing: { taskLagMs: 20_000 } });
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
  const scene = await startScene(t);
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
