import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { Cancelled } from '#protocols/errors';
import { resumeOffset } from '#protocols/job/parts';
import { segmentKey } from '#protocols/payload/keys';
import { gate, until } from '#runtime/actors/testing';
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
import { PRIMARY_TIMING } from '../ports.ts';

const stage = withStage(test);
const SEGMENT = 1_024;

/** A primary that takes uploads, and leaves the jobs in the queue. Payloads have five segments, the last a short one. */
async function start(t: ExecutionContext, options: PrimaryOptions = {}): Promise<Primary> {
  const ground = await newGround(t, await stage().connection(t));
  return Primary.start(t, ground, { pulls: false, ...options });
}

function part(firstSegment: number, segmentCount: number, complete = false): UploadPart {
  return { firstSegment, segmentCount, complete };
}

async function eventsOf(primary: Primary, payload: Payload): Promise<readonly string[]> {
  return (await primary.events(payload)).map(({ type }) => type);
}

async function offsetOf(primary: Primary, payload: Payload): Promise<number> {
  const context = await primary.context(payload);
  return context ? resumeOffset(context) : 0;
}

/** Says which segments lie in the PieceStore, as they belong there. */
async function stored(primary: Primary, payload: Payload): Promise<readonly number[]> {
  const segments = segmentsOf(payload);
  return [...(await primary.storedSegments(payload)).entries()]
    .filter(([index, bytes]) => bytes && Buffer.from(bytes).equals(segments[index] ?? Buffer.of()))
    .map(([index]) => index);
}

test('parts are stored one by one, and the last completes the payload', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const first = await primary.uploadPart(payload, part(0, 2));
  t.is(first.integrityHash, undefined);
  t.is(first.durability, 'crash-safe');
  t.is((await primary.context(payload))?.state, 'UPLOAD_OBJECT_DOING');
  t.is(await offsetOf(primary, payload), 2 * SEGMENT);
  await primary.uploadPart(payload, part(2, 2));
  t.is(await offsetOf(primary, payload), 4 * SEGMENT);
  t.false(await primary.ground.queue.has(payload.job));

  const last = await primary.uploadPart(payload, part(4, 1, true));
  t.is(last.integrityHash, payload.object.checksums[0]);
  t.true(await primary.ground.queue.has(payload.job));
  t.deepEqual(await eventsOf(primary, payload), [
    'JobCreated',
    'UploadStarted',
    'PartStored',
    'PartStored',
    'UploadCompleted',
  ]);
  t.deepEqual(await stored(primary, payload), [0, 1, 2, 3, 4]);
});

test('parts may come in any order, and repeatedly', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(3, 2));
  t.is(await offsetOf(primary, payload), 0);
  await primary.uploadPart(payload, part(3, 2));
  await primary.uploadPart(payload, part(1, 3));
  await primary.uploadPart(payload, part(1, 1));
  const { integrityHash } = await primary.uploadPart(payload, part(0, 1, true));
  t.is(integrityHash, payload.object.checksums[0]);
  t.is((await eventsOf(primary, payload)).filter((type) => type === 'PartStored').length, 2);
});

test('between parts nobody owns the job, and the node continues it after a restart', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 3));
  await eventually('its actor is gone', () => !primary.line(payload));
  await primary.system.stop();

  const next = await Primary.start(t, primary.ground, { pulls: false, chain: primary.chain });
  t.is(await offsetOf(next, payload), 3 * SEGMENT);
  const { integrityHash } = await next.uploadPart(payload, part(3, 2, true));
  t.is(integrityHash, payload.object.checksums[0]);
  t.is((await next.context(payload))?.uploadAttempt, 1, 'it is still the first attempt');
});

test('the deadline counts from the last stored part', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 1));
  const first = (await primary.context(payload))?.deadlineAt ?? 0;
  await until(() => Date.now() > first - PRIMARY_TIMING.jobDeadlineMs);
  await primary.uploadPart(payload, part(1, 1));
  t.true(((await primary.context(payload))?.deadlineAt ?? 0) > first);
});

test('a part that wrongly claims to complete the payload is kept, and refused with 50027', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 1));
  const error = await failsWith(primary.uploadPart(payload, part(3, 2, true)));
  t.is(error.gatewayCode, 50027);
  t.regex(error.message, new RegExp(`from ${SEGMENT} on`));
  t.is((await primary.context(payload))?.state, 'UPLOAD_OBJECT_DOING');
  t.is((await primary.uploadPart(payload, part(1, 2, true))).integrityHash, payload.object.checksums[0]);
});

test('an interrupted part loses only its own segments', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 1));
  async function* broken() {
    yield* chunks(payload.bytes.subarray(SEGMENT, 2.5 * SEGMENT));
    throw new Cancelled({ code: 'client-gone', message: 'The client is gone.', gatewayCode: 110005 });
  }
  t.is((await failsWith(primary.uploadPart(payload, part(1, 3), broken()))).gatewayCode, 110005);
  const context = await primary.context(payload);
  t.is(context?.state, 'UPLOAD_OBJECT_DOING');
  t.is(await offsetOf(primary, payload), SEGMENT);
  t.is((await primary.uploadPart(payload, part(1, 4, true))).integrityHash, payload.object.checksums[0]);
});

test('a part replaces one whose client is silent, and stored parts are kept', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 1));
  const { opened, open } = gate();
  t.teardown(open);
  async function* halting() {
    yield* chunks(payload.bytes.subarray(SEGMENT, 2.5 * SEGMENT));
    await opened;
  }
  const silent = { silentMs: () => 5_000 };
  const first = failsWith(primary.uploadPart(payload, part(1, 3), halting(), silent));
  await eventually('the part is taken', () => primary.line(payload)?.children.length === 1);
  const stranger = primary.uploadPart(payload, part(1, 2), undefined, { account: '0xB' });
  t.is((await failsWith(stranger)).code, 'upload-in-progress');
  await primary.uploadPart(payload, part(1, 2));
  t.is((await first).code, 'upload-taken-over');
  t.is(await offsetOf(primary, payload), 3 * SEGMENT);
  t.is((await primary.uploadPart(payload, part(3, 2, true))).integrityHash, payload.object.checksums[0]);
  t.is((await primary.context(payload))?.uploadAttempt, 1);
});

test('a part sent again with other bytes replaces the first, once the journal records it', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 2), chunks(randomBytes(2 * SEGMENT)));
  t.deepEqual(await stored(primary, payload), []);
  await primary.uploadPart(payload, part(0, 2));
  t.deepEqual(await stored(primary, payload), [0, 1]);
  const events = await eventsOf(primary, payload);
  t.is(events.filter((type) => type === 'SegmentDiscarded').length, 2);
  await primary.uploadPart(payload, part(2, 3, true));
});

test('a payload with wrong bytes is refused with 110004 at its end, leaves nothing, and can be uploaded again', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 2), chunks(randomBytes(2 * SEGMENT)));
  t.is((await failsWith(primary.uploadPart(payload, part(2, 3, true)))).gatewayCode, 110004);
  await eventually('its actor is gone', () => !primary.line(payload));
  t.is((await primary.context(payload))?.state, 'UPLOAD_OBJECT_ERROR');
  t.is(await offsetOf(primary, payload), 0);
  t.deepEqual(
    (await primary.storedSegments(payload)).filter((segment) => segment),
    [],
  );
  await primary.uploadPart(payload, part(0, 2));
  await primary.uploadPart(payload, part(2, 3, true));
  t.is((await primary.context(payload))?.uploadAttempt, 2);
});

test('parts that have been lost meanwhile are not acknowledged', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 4));
  await primary.ground.pieces.delete(segmentKey(payload.job, 1));
  const error = await failsWith(primary.uploadPart(payload, part(4, 1, true)));
  t.is(error.code, 'parts-lost');
  t.is((await primary.context(payload))?.state, 'UPLOAD_OBJECT_ERROR');
  await primary.upload(payload);
});

test('a plain PUT starts over', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(1, 2), chunks(randomBytes(2 * SEGMENT)));
  const { integrityHash } = await primary.upload(payload);
  t.is(integrityHash, payload.object.checksums[0]);
  t.is((await primary.context(payload))?.uploadAttempt, 2);
  const failures = (await primary.events(payload)).flatMap((event) =>
    'failure' in event ? [event.failure.code] : [],
  );
  t.deepEqual(failures, ['upload-started-over']);
});

test('a part after a plain PUT whose node was lost starts a new attempt', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { job, object } = payload;
  const { journal } = primary.ground;
  await journal.append(job, 1, { type: 'JobCreated', at: 1, id: job, object, deadlineAt: 2 });
  await journal.append(job, 2, { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 2 });
  await primary.uploadPart(payload, part(0, 1));
  const context = await primary.context(payload);
  t.is(context?.uploadAttempt, 2);
  t.is(await offsetOf(primary, payload), SEGMENT);
});

test('during the upload of a part, another part or a PUT is refused with 110003', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { opened, open } = gate();
  async function* slow() {
    yield* chunks(payload.bytes.subarray(0, SEGMENT + 1));
    await opened;
    yield* chunks(payload.bytes.subarray(SEGMENT + 1, 2 * SEGMENT));
  }
  const first = primary.uploadPart(payload, part(0, 2), slow());
  await eventually('it runs', () => primary.line(payload)?.children.length === 1);
  t.is((await failsWith(primary.uploadPart(payload, part(2, 1)))).gatewayCode, 110003);
  t.is((await failsWith(primary.upload(payload))).gatewayCode, 110003);
  open();
  await first;
  t.is(await offsetOf(primary, payload), 2 * SEGMENT);
  await primary.uploadPart(payload, part(2, 3, true));
  t.is((await failsWith(primary.uploadPart(payload, part(0, 1)))).gatewayCode, 110006);
});

test('a payload whose parts took long still gets the full time to the seal', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(0, 4));
  const before = await primary.context(payload);
  const completedAfter = Date.now();
  await primary.uploadPart(payload, part(4, 1, true));
  const after = await primary.context(payload);
  t.true((after?.deadlineAt ?? 0) >= completedAfter + 86_400_000);
  t.true((after?.deadlineAt ?? 0) >= (before?.deadlineAt ?? Number.POSITIVE_INFINITY));
});

test('a payload uploaded in parts is sealed like any other', async (t) => {
  const primary = await start(t, { pulls: true });
  const payload = await primary.newObject();
  await primary.uploadPart(payload, part(2, 3));
  await primary.uploadPart(payload, part(0, 2, true));
  t.is((await primary.reaches(payload, 'SEAL_OBJECT_DONE')).uploadAttempt, 1);
});
