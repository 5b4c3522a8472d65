import test from 'ava';
import { PROGRESS_TEXT } from '#protocols/job/progress-text';
import { useNetwork } from './network.ts';
import type { WaitingObject } from './offers.ts';

const SEGMENT = 64 * 1024;
const PART = 2 * SEGMENT;

const network = useNetwork(test, { segmentSize: SEGMENT });

/** Uploads the rest of a payload as the SDKs do: asks where to continue, then sends part after part. */
async function uploadRest(primary: number, object: WaitingObject, parts = Number.POSITIVE_INFINITY) {
  const client = network().client(primary);
  const { payload } = object;
  let offset = await client.resumeOffset(object);
  for (let sent = 0; sent < parts && offset < payload.length; sent += 1) {
    const bytes = payload.subarray(offset, offset + PART);
    await client.putPart(object, { offset, bytes, complete: offset + bytes.length === payload.length });
    offset += bytes.length;
  }
}

test('an upload in parts survives the failure of the node that took the first part', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size: 7 * SEGMENT + 321 });
  await uploadRest(1, object, 2);
  t.is(await net.client(1).resumeOffset(object), 2 * PART);
  await net.devnet.sp(1).kill('SIGKILL');
  await net.devnet.sp(1).start();
  t.is(await net.client(1).resumeOffset(object), 2 * PART);
  t.is((await net.client(1).progress(object)).description, PROGRESS_TEXT.UPLOAD_OBJECT_DOING);

  await uploadRest(1, object);
  await net.sealed(object);
  t.true((await net.get(1, object)).equals(object.payload));
  t.is((await net.job(1, object.job))?.context.uploadAttempt, 1);
});
