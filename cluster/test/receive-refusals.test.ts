import { randomBytes } from 'node:crypto';
import test from 'ava';
import { Terminal } from '#protocols/errors';
import { pieceKey } from '#protocols/payload/keys';
import { accountKey } from '#runtime/keys/keyring';
import { seal } from '../devnet/chain/testing.ts';
import { createWaitingObject, keysOf } from './offers.ts';
import { headerOf, type Unsigned } from './receive-gateway.ts';
import {
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

test('each check has its own code, and the first that fails decides', async (t) => {
  const scene = await startScene(t);
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

test('a column without room for it is refused at its first piece', async (t) => {
  const scene = await startScene(t, { freeBytes: 0 });
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  t.deepEqual(refusal(await putPiece(scene, object, 0)), [406, 60003]);
  await nothingStored(t, scene, object);
});

test('a column that cannot be recorded is not signed for', async (t) => {
  const scene = await startScene(t);
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  for (const segment of [0, 1, 2]) await putPiece(scene, object, segment);
  await scene.us.journal.close();
  t.deepEqual(refusal(await finish(scene, object)), [500, 85201]);
});

test('our own client gets the reason of a refusal', async (t) => {
  const scene = await startScene(t);
  const object = await createWaitingObject(scene.fixture, 'bucket-1');
  const client = clientOfPrimary(t, scene);
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
