import test, { type ExecutionContext } from 'ava';
import { checksum } from '#protocols/integrity/checksums';
import type { JobObject } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import { segmentKey } from '#protocols/payload/keys';
import { gate } from '#runtime/actors/testing';
import type { UploadPart } from '../../messages.ts';
import {
  chunks,
  eventually,
  failsWith,
  newGround,
  type Payload,
  Primary,
  type PrimaryOptions,
  segmentsOf,
} from '../../testing/primary.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);
const SEGMENT = 1_024;

/** Payloads have five segments, the last a short one. */
async function start(t: ExecutionContext, options: PrimaryOptions = {}): Promise<Primary> {
  return Primary.start(t, await newGround(t, await stage().connection(t)), options);
}

function part(firstSegment: number, segmentCount: number): UploadPart {
  return { firstSegment, segmentCount, complete: false };
}

/** Indexes of the segments that lie in the PieceStore. */
async function stored(primary: Primary, payload: Payload): Promise<readonly number[]> {
  const segments = await primary.storedSegments(payload);
  return [...segments.entries()].filter(([, bytes]) => bytes).map(([index]) => index);
}

test('the parts of an upload that missed its deadline are deleted, and it can start again', async (t) => {
  const primary = await start(t, { timing: { jobDeadlineMs: 0 } });
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(1, 2));
  await primary.ground.queue.enqueue(payload.job);
  const { failure } = await primary.reaches(payload, 'UPLOAD_OBJECT_ERROR');
  t.is(failure?.code, 'upload-abandoned');
  await eventually('its entry is gone', async () => !(await primary.ground.queue.has(payload.job)));
  t.deepEqual(await stored(primary, payload), []);
  await primary.uploadPart(payload, part(0, 1));
  t.is((await primary.context(payload))?.uploadAttempt, 2);
});

test('the upload of a deleted object ends and leaves nothing', async (t) => {
  const primary = await start(t, { timing: { jobDeadlineMs: 0 } });
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 2));
  primary.chain.objects.delete(payload.job.objectId);
  await primary.ground.queue.enqueue(payload.job);
  await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  await eventually('its entry is gone', async () => !(await primary.ground.queue.has(payload.job)));
  t.deepEqual(await stored(primary, payload), []);
});

test('an upload past its deadline continues when its client does', async (t) => {
  const primary = await start(t, { timing: { jobDeadlineMs: 0 } });
  const payload = await primary.newObject();
  const { opened, open } = gate();
  async function* slow() {
    yield* chunks(payload.bytes.subarray(0, SEGMENT + 1));
    await opened;
    yield* chunks(payload.bytes.subarray(SEGMENT + 1, 2 * SEGMENT));
  }
  const first = primary.uploadPart(payload, part(0, 2), slow());
  await eventually('it runs', () => primary.line(payload)?.children.length === 1);
  await primary.ground.queue.enqueue(payload.job);
  await eventually('its entry is gone', async () => !(await primary.ground.queue.has(payload.job)));
  open();
  await first;
  t.is((await primary.context(payload))?.state, 'UPLOAD_OBJECT_DOING');
  t.deepEqual(await stored(primary, payload), [0, 1]);
});

/** A primary with a delegated upload of which nothing more has come until its deadline. */
async function abandoned(
  t: ExecutionContext,
  over: Partial<JobObject> = {},
): Promise<{ primary: Primary; payload: Payload }> {
  const primary = await start(t);
  const payload = await primary.newObject(5_000, { checksums: [], ...over });
  const { job, object } = payload;
  const { journal } = primary.ground;
  await journal.append(job, 1, { type: 'JobCreated', at: 1, id: job, object, deadlineAt: 2 });
  await journal.append(job, 2, { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 2, inParts: true });
  await primary.ground.pieces.put(segmentKey(job, 0), payload.bytes.subarray(0, SEGMENT));
  return { primary, payload };
}

test('an object that we announced is rejected when its payload does not arrive', async (t) => {
  const { primary, payload } = await abandoned(t);
  await primary.ground.queue.enqueue(payload.job);
  await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.deepEqual(
    (await primary.events(payload)).slice(2).map(({ type }) => type),
    ['UploadFailed', 'RejectSigned', 'Discontinued'],
  );
  t.deepEqual(
    primary.chain.broadcasts.map(({ kind }) => kind),
    ['reject'],
  );
  t.false(primary.chain.objects.has(payload.job.objectId));
  await eventually('its entry is gone', async () => !(await primary.ground.queue.has(payload.job)));
  t.deepEqual(await stored(primary, payload), []);
});

test('a reject signed against an earlier upload is not broadcast against a later one', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { job, object } = payload;
  const segments = segmentsOf(payload);
  for (const [index, bytes] of segments.entries()) {
    await primary.ground.pieces.put(segmentKey(job, index), bytes);
  }
  const failure = { code: 'x', message: 'x', attempt: 1, resume: 'UPLOAD_OBJECT_DOING' } as const;
  const segmentChecksums = segments.map(checksum);
  const old = { bytes: '00', hash: 'OLD', sequence: 0 };
  const history: readonly JobEvent[] = [
    { type: 'JobCreated', at: 1, id: job, object, deadlineAt: 2 },
    { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 2 },
    { type: 'UploadFailed', at: 2, failure },
    { type: 'RejectSigned', at: 3, transaction: old },
    { type: 'UploadStarted', at: 4, attempt: 2, deadlineAt: 5 },
    { type: 'UploadCompleted', at: 4, segmentChecksums, integrityHash: object.checksums[0] ?? '' },
  ];
  for (const [i, event] of history.entries()) await primary.ground.journal.append(job, i + 1, event);
  await primary.ground.queue.enqueue(job);
  const { reject } = await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.deepEqual(
    primary.chain.broadcasts.map(({ hash }) => hash),
    [reject?.hash ?? ''],
  );
  t.not(reject?.hash, old.hash);
});

test('an update that we announced is left for its client to cancel', async (t) => {
  const { primary, payload } = await abandoned(t, { isUpdate: true });
  await primary.ground.queue.enqueue(payload.job);
  await primary.reaches(payload, 'UPLOAD_OBJECT_ERROR');
  await eventually('its entry is gone', async () => !(await primary.ground.queue.has(payload.job)));
  t.deepEqual(primary.chain.broadcasts, []);
});

test('a client that returns before the reject is signed gets the full deadline', async (t) => {
  const { primary, payload } = await abandoned(t);
  const { opened, open } = gate();
  const account = primary.chain.account.bind(primary.chain);
  let asked = false;
  primary.chain.account = async (address) => {
    asked = true;
    await opened;
    return account(address);
  };
  await primary.ground.queue.enqueue(payload.job);
  await eventually('a reject is being signed', () => asked);
  const client = gate();
  async function* slow() {
    yield payload.bytes.subarray(0, SEGMENT - 1);
    await client.opened;
    yield payload.bytes.subarray(SEGMENT - 1, SEGMENT);
  }
  const upload = primary.uploadPart(payload, part(0, 1), slow());
  await eventually('it runs', () => primary.line(payload)?.children.length === 1);
  open();
  await eventually('its entry is gone', async () => !(await primary.ground.queue.has(payload.job)));
  client.open();
  await upload;
  t.is((await primary.context(payload))?.state, 'UPLOAD_OBJECT_DOING');
  t.deepEqual(primary.chain.broadcasts, []);
});

test('an upload during the broadcast of a reject is refused with 110002', async (t) => {
  const { primary, payload } = await abandoned(t);
  primary.chain.answers.push(() => ({ code: 0, codespace: '', log: '' }));
  await primary.ground.queue.enqueue(payload.job);
  await eventually('the reject is broadcast', () => primary.chain.broadcasts.length === 1);
  t.is((await failsWith(primary.uploadPart(payload, part(0, 1)))).gatewayCode, 110002);
  t.is((await failsWith(primary.upload(payload))).gatewayCode, 110002);
  primary.chain.objects.delete(payload.job.objectId);
  await primary.reaches(payload, 'OBJECT_DISCONTINUED');
});
