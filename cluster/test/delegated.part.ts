import { randomBytes } from 'node:crypto';
import test from 'ava';
import { PROGRESS_TEXT } from '#protocols/job/progress-text';
import { pieceKey } from '#protocols/payload/keys';
import { delegatedPayload, putDelegated, putDelegatedPart } from './delegated-client.ts';
import { encode } from './offers.ts';
import { network } from './small-segments.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;
const PART = 2 * SEGMENT;

/** Waits until the chain has this version of the object sealed. @returns its job and the hashes of its columns */
async function sealed(bucketName: string, objectName: string, version = 0) {
  const { object } = await until(`version ${version} of ${objectName} is sealed`, async () => {
    const found = await network().chain.object(bucketName, objectName);
    const { status, isUpdating } = found?.object ?? {};
    return status === 'SEALED' && !isUpdating && found?.object.version === version && found;
  });
  return { job: { objectId: object.id, version }, checksums: object.checksums };
}

test.serial(
  'a delegated upload in parts survives a node failure, and its seal brings the checksums',
  async (t) => {
    const net = network();
    const upload = delegatedPayload(await net.createBucket(1), 7 * SEGMENT + 321);
    const { payload } = upload;
    const post = (offset: number) => putDelegatedPart(net, 1, upload, { offset, length: PART });
    await post(0);
    await post(PART);
    // again, as after a lost answer
    await post(PART);
    await net.devnet.sp(1).kill('SIGKILL');
    await net.devnet.sp(1).start();
    t.is(await net.client(1).resumeOffset(upload), 2 * PART);
    t.is((await net.client(1).progress(upload)).description, PROGRESS_TEXT.UPLOAD_OBJECT_DOING);
    for (let offset = 2 * PART; offset < payload.length; offset += PART) await post(offset);

    const { job, checksums } = await sealed(upload.bucketName, upload.objectName);
    const { columns, ...encoded } = await encode(net, payload);
    t.deepEqual(checksums, encoded.checksums);
    t.true((await net.get(1, upload)).equals(payload));
    for (const [index, pieces] of columns.entries()) {
      for (const [segment, piece] of pieces.entries()) {
        const stored = await net.pieces(index + 2).read(pieceKey(job, segment, index));
        t.true(stored !== null && Buffer.from(piece).equals(stored), `piece ${segment} of column ${index}`);
      }
    }
  },
);

test('the content of an object is replaced by delegated updates, whole and in parts', async (t) => {
  const net = network();
  const upload = delegatedPayload(await net.createBucket(2), SEGMENT + 5);
  const { bucketName, objectName } = upload;
  await putDelegated(net, 2, upload);
  await sealed(bucketName, objectName);
  const update = { bucketName, objectName, payload: randomBytes(3 * SEGMENT), isUpdate: true };
  await putDelegated(net, 2, update);
  await sealed(bucketName, objectName, 1);
  t.true((await net.get(2, upload)).equals(update.payload));

  const next = { ...update, payload: randomBytes(PART + 1) };
  await putDelegatedPart(net, 2, next, { offset: 0, length: PART });
  await putDelegatedPart(net, 2, next, { offset: PART, length: PART });
  await sealed(bucketName, objectName, 2);
  t.true((await net.get(2, upload)).equals(next.payload));
  const late = putDelegatedPart(net, 2, next, { offset: PART, length: PART });
  await t.throwsAsync(late, { message: /400 .*50010/ });
  t.false((await net.chain.object(bucketName, objectName))?.object.isUpdating);
});

test('of two clients that upload one name at once, one is accepted and the other refused', async (t) => {
  const net = network();
  const upload = delegatedPayload(await net.createBucket(3), 3 * SEGMENT);
  const results = await Promise.allSettled([1, 2].map(() => putDelegated(net, 3, upload)));
  t.true(results.some(({ status }) => status === 'fulfilled'));
  for (const result of results) {
    if (result.status === 'rejected') t.regex(String(result.reason), /Code>(110003|110006|50010)</);
  }
  await sealed(upload.bucketName, upload.objectName);
  t.true((await net.get(3, upload)).equals(upload.payload));
});
