import { randomBytes } from 'node:crypto';
import test from 'ava';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import { delegatedPayload, putDelegated } from './delegated-client.ts';
import { encode, type WaitingObject } from './offers.ts';
import { network } from './small-segments.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;
/** With seven SPs each group has all others as members: without this one no update is sealed. */
const MEMBER = 7;

/** Checks that every SP holds exactly the pieces of this content, and that the primary serves it. */
async function holdsLast(
  t: { true(actual: boolean, message?: string): void; is(actual: unknown, expected: unknown): void },
  primary: number,
  { job, columns, payload, ...address }: WaitingObject,
): Promise<void> {
  const net = network();
  t.true((await net.get(primary, address)).equals(payload));
  const found = await net.chain.objectById(job.objectId);
  for (const [index, spId] of (found?.gvg?.secondarySpIds ?? []).entries()) {
    const pieces = columns[index] ?? [];
    for (const [segment, piece] of pieces.entries()) {
      const stored = await net.pieces(spId).read(pieceKey(job, segment, index));
      t.true(stored !== null && Buffer.from(piece).equals(stored), `piece ${segment} of column ${index}`);
    }
    t.is(await net.pieces(spId).read(pieceKey(job, pieces.length, index)), null);
  }
  t.is(await net.pieces(primary).read(segmentKey(job, columns[0]?.length ?? 0)), null);
}

/** Runs something while no update can be sealed. */
async function unsealed(work: () => Promise<void>): Promise<void> {
  const member = network().devnet.sp(MEMBER);
  await member.kill('SIGKILL');
  await work();
  await member.start();
}

test.serial(
  'an update cancelled and repeated with other bytes five times is sealed with the last',
  async (t) => {
    const net = network();
    const object = await net.createObject(await net.createBucket(1), { size: SEGMENT });
    await net.put(1, object);
    await net.sealed(object);
    let last = object;
    await unsealed(async () => {
      for (const segments of [5, 3, 6, 2, 4]) {
        if (last !== object) await net.account.cancelUpdateObject(object.bucketName, object.objectName);
        last = await net.updateObject(object, { size: segments * SEGMENT - 99 });
        await net.put(1, last);
      }
    });
    await net.sealed(last);
    await net.reached(1, last, 'SEAL_OBJECT_DONE');
    await holdsLast(t, 1, last);
  },
);

test.serial('a delegated update cancelled and repeated is sealed with the last bytes', async (t) => {
  const net = network();
  const upload = delegatedPayload(await net.createBucket(2), SEGMENT);
  const { bucketName, objectName } = upload;
  await putDelegated(net, 2, upload);
  const first = await until('the object is sealed', async () => {
    const found = await net.chain.object(bucketName, objectName);
    return found?.object.status === 'SEALED' && found.object;
  });
  let payload: Buffer = upload.payload;
  await unsealed(async () => {
    for (const segments of [5, 3, 4]) {
      if (payload !== upload.payload) await net.account.cancelUpdateObject(bucketName, objectName);
      payload = randomBytes(segments * SEGMENT - 99);
      await putDelegated(net, 2, { bucketName, objectName, payload, isUpdate: true });
    }
  });
  const encoded = await encode(net, payload);
  const last = { ...encoded, bucketName, objectName, job: { objectId: first.id, version: 1 } };
  const { object } = await net.sealed(last);
  t.deepEqual(object.checksums, encoded.checksums);
  await net.reached(2, last, 'SEAL_OBJECT_DONE');
  await holdsLast(t, 2, last);
});

test.serial('a PUT whose update is cancelled meanwhile gets 403/110002 and leaves nothing', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(3), { size: SEGMENT });
  await net.put(3, object);
  await net.sealed(object);
  const update = await net.updateObject(object, { size: 3 * SEGMENT });
  async function* body() {
    yield update.payload.subarray(0, 2 * SEGMENT);
    await net.reached(3, update, 'UPLOAD_OBJECT_DOING');
    await net.account.cancelUpdateObject(object.bucketName, object.objectName);
    yield update.payload.subarray(2 * SEGMENT);
  }
  const error = await t.throwsAsync(net.put(3, update, body()));
  t.regex(String(error?.message), /110002/);
  t.is((await net.job(3, update.job))?.context.state, 'OBJECT_DISCONTINUED');
  await until('its segments are gone', async () => !(await net.pieces(3).has(segmentKey(update.job, 0))));
  t.true((await net.get(3, object)).equals(object.payload));

  const again = await net.updateObject(object, { size: 2 * SEGMENT });
  await net.put(3, again);
  await net.sealed(again);
  t.true((await net.get(3, object)).equals(again.payload));
});

test.serial('a PUT whose object is cancelled meanwhile gets 404/20008 and leaves nothing', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(4), { size: 3 * SEGMENT });
  async function* body() {
    yield object.payload.subarray(0, 2 * SEGMENT);
    await net.reached(4, object, 'UPLOAD_OBJECT_DOING');
    await net.account.cancelCreateObject(object.bucketName, object.objectName);
    yield object.payload.subarray(2 * SEGMENT);
  }
  const error = await t.throwsAsync(net.put(4, object, body()));
  t.regex(String(error?.message), /20008/);
  await until('its segments are gone', async () => !(await net.pieces(4).has(segmentKey(object.job, 0))));
});
