import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { PROGRESS_TEXT } from '#protocols/job/progress-text';
import type { WaitingObject } from './offers.ts';
import { network, PATIENT } from './small-segments.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;
const PART = 2 * SEGMENT;

/** A body that stops after its first bytes, as on a network that fails silently. */
function cut(t: ExecutionContext, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const end = new AbortController();
  t.teardown(() => end.abort());
  return (async function* () {
    yield bytes;
    if (!end.signal.aborted) await once(end.signal, 'abort');
  })();
}

test.serial('a client whose connection was lost uploads again after a few seconds', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(PATIENT), { size: 4 * SEGMENT });
  const lost = t.throwsAsync(net.put(PATIENT, object, cut(t, object.payload.subarray(0, 2.5 * SEGMENT))));
  await net.reached(PATIENT, object, 'UPLOAD_OBJECT_DOING');
  const refused = await t.throwsAsync(net.put(PATIENT, object));
  t.regex(refused?.message ?? '', /being uploaded/);
  await until('the retry is taken', async () => {
    await net.put(PATIENT, object);
    return true;
  });
  t.regex((await lost)?.message ?? '', /started to upload the object again/);
  await net.sealed(object);
  t.true((await net.get(PATIENT, object)).equals(object.payload));
  t.is((await net.job(PATIENT, object.job))?.context.uploadAttempt, 2);
});

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

test.serial('an upload in parts survives the failure of the node that took the first part', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(PATIENT), { size: 7 * SEGMENT + 321 });
  await uploadRest(PATIENT, object, 2);
  t.is(await net.client(PATIENT).resumeOffset(object), 2 * PART);
  await net.devnet.sp(PATIENT).kill('SIGKILL');
  await net.devnet.sp(PATIENT).start();
  t.is(await net.client(PATIENT).resumeOffset(object), 2 * PART);
  t.is((await net.client(PATIENT).progress(object)).description, PROGRESS_TEXT.UPLOAD_OBJECT_DOING);

  await uploadRest(PATIENT, object);
  await net.sealed(object);
  t.true((await net.get(PATIENT, object)).equals(object.payload));
  t.is((await net.job(PATIENT, object.job))?.context.uploadAttempt, 1);
});
