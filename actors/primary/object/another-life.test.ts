import test, { type ExecutionContext } from 'ava';
import { segmentKey } from '#protocols/payload/keys';
import { gate } from '#runtime/actors/testing';
import { orAborted } from '#runtime/async/or-aborted';
import { withTimeEnough } from '#runtime/testing/time-enough';
import type { UploadPart } from '../../messages.ts';
import { grant } from '../../testing/peers.ts';
import {
  chunks,
  eventually,
  failsWith,
  newGround,
  newPayload,
  type Payload,
  Primary,
  type PrimaryOptions,
  segmentsOf,
} from '../../testing/primary.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);
const SEGMENT = 1_024;

async function start(t: ExecutionContext, options: PrimaryOptions = {}): Promise<Primary> {
  return Primary.start(t, await newGround(t, await stage().connection(t)), options);
}

/** An update of a sealed object that waits for its payload. */
async function newUpdate(primary: Primary, size = 5_000): Promise<Payload> {
  const first = await primary.newObject();
  primary.chain.seal(first.job.objectId, 1);
  return primary.newUpdate(first, size);
}

/** The update is cancelled on chain. */
function cancel({ chain }: Primary, { job }: Payload): void {
  chain.callOff(job.objectId);
}

/** The update is cancelled, and other content announced under the same version. */
async function announceAgain(primary: Primary, before: Payload, size = 3_000): Promise<Payload> {
  const { objectName, createdAt } = before.object;
  const next = await newPayload(size, { objectName, isUpdate: true, createdAt: createdAt + 1 });
  const payload = { ...next, job: before.job };
  cancel(primary, before);
  primary.chain.announce(payload.job, payload.object);
  primary.peers.columns.clear();
  return payload;
}

async function holdsExactly(t: ExecutionContext, primary: Primary, payload: Payload): Promise<void> {
  const stored = await primary.storedSegments(payload);
  t.deepEqual(
    stored.map((segment) => segment && Buffer.from(segment)),
    segmentsOf(payload).map((segment) => Buffer.from(segment)),
  );
  t.is(await primary.ground.pieces.stat(segmentKey(payload.job, stored.length)), undefined);
}

async function isEmpty(t: ExecutionContext, primary: Primary, payload: Payload): Promise<void> {
  t.deepEqual((await primary.storedSegments(payload)).filter(Boolean), []);
}

/** The next life ends with the seal of its own bytes. */
async function sealsLast(t: ExecutionContext, primary: Primary, last: Payload): Promise<void> {
  const context = await primary.reaches(last, 'SEAL_OBJECT_DONE');
  t.deepEqual(context.object, last.object);
  t.deepEqual(primary.chain.objects.get(last.job.objectId)?.checksums, last.object.checksums);
  await holdsExactly(t, primary, last);
  await eventually('its entry is gone', async () => !(await primary.ground.queue.has(last.job)));
  await eventually('its actor is gone', () => !primary.line(last));
}

test('an update cancelled and announced again five times is sealed with its last bytes', async (t) => {
  const primary = await start(t);
  const held = gate();
  primary.peers.onOffer = (_offer, signal) => orAborted(held.opened, signal);
  let update = await newUpdate(primary);
  for (let time = 1; time <= 5; time += 1) {
    await primary.upload(update);
    await primary.reaches(update, 'REPLICATE_OBJECT_DOING');
    update = await announceAgain(primary, update, 6_000 - 1_000 * time);
  }
  await primary.upload(update);
  held.open();
  await sealsLast(t, primary, update);
  t.is((await primary.context(update))?.uploadAttempt, 6);
  t.is(primary.chain.broadcasts.length, 1);
});

test('the job of a cancelled update ends, and starts afresh with the next announcement', async (t) => {
  const primary = await start(t);
  const held = gate();
  primary.peers.onOffer = (_offer, signal) => orAborted(held.opened, signal);
  const update = await newUpdate(primary);
  await primary.upload(update);
  await primary.reaches(update, 'REPLICATE_OBJECT_DOING');
  cancel(primary, update);
  held.open();
  const { discontinuedBecause } = await primary.reaches(update, 'OBJECT_DISCONTINUED');
  t.is(discontinuedBecause, 'The update was cancelled.');
  await eventually('its actor is gone', () => !primary.line(update));
  await isEmpty(t, primary, update);
  t.is((await failsWith(primary.upload(update))).code, 'object-discontinued');

  const again = await announceAgain(primary, update);
  await primary.upload(again);
  await sealsLast(t, primary, again);
});

for (const state of ['ALLOC_SECONDARY_DOING', 'REPLICATE_OBJECT_DOING', 'SEAL_OBJECT_DOING'] as const) {
  test(`work in ${state} ends with its announcement, and nothing of it reaches the next one`, async (t) => {
    const primary = await start(t);
    const { peers, chain } = primary;
    const update = await newUpdate(primary);
    const held = gate();
    const hung: AbortSignal[] = [];
    if (state === 'ALLOC_SECONDARY_DOING') peers.answer = () => undefined;
    if (state === 'REPLICATE_OBJECT_DOING') {
      peers.onOffer = (_offer, signal) => {
        if (signal) hung.push(signal);
        return orAborted(held.opened, signal);
      };
    }
    // In the mempool, and in no block.
    if (state === 'SEAL_OBJECT_DOING') chain.answers.push(() => ({ code: 0, codespace: '', log: '' }));
    await primary.upload(update);
    await primary.reaches(update, state);
    if (state === 'REPLICATE_OBJECT_DOING') await eventually('all columns hang', () => hung.length === 6);
    if (state === 'SEAL_OBJECT_DOING') await eventually('the seal is on its way', () => chain.broadcasts[0]);

    const again = await announceAgain(primary, update);
    await primary.upload(again);
    t.true(hung.every(({ aborted }) => aborted));
    peers.answer = grant;
    held.open();
    await sealsLast(t, primary, again);
    const events = await primary.events(again);
    const second = events.findLastIndex(({ type }) => type === 'UploadStarted');
    const types = events.slice(second).map(({ type }) => type);
    t.deepEqual(types.slice(0, 3), ['UploadStarted', 'UploadCompleted', 'AllocationStarted']);
    t.is(types.filter((type) => type === 'SecondaryCompleted').length, 6);
  });
}

test('a client still sending cancelled content gets an error, and the new content is accepted', async (t) => {
  const primary = await start(t);
  const update = await newUpdate(primary);
  const { opened, open } = gate();
  async function* halting() {
    yield* chunks(update.bytes.subarray(0, 2 * SEGMENT));
    await opened;
    yield* chunks(update.bytes.subarray(2 * SEGMENT));
  }
  const first = failsWith(primary.upload(update, halting()));
  await eventually('a segment is stored', () => primary.ground.pieces.stat(segmentKey(update.job, 0)));
  const again = await announceAgain(primary, update);
  await primary.upload(again);
  open();
  const error = await first;
  t.is(error.code, 'content-not-awaited');
  t.is(error.gatewayCode, 110002);
  await sealsLast(t, primary, again);
});

test('parts sent for an earlier announcement do not count for the next', async (t) => {
  const primary = await start(t);
  const update = await newUpdate(primary, 3 * SEGMENT);
  const part = (firstSegment: number, complete: boolean): UploadPart => ({
    firstSegment,
    segmentCount: 1,
    complete,
  });
  await primary.uploadPart(update, part(0, false));
  await primary.uploadPart(update, part(1, false));
  const again = await announceAgain(primary, update, 3 * SEGMENT);
  const error = await failsWith(primary.uploadPart(again, part(2, true)));
  t.is(error.code, 'payload-incomplete');
  t.deepEqual(
    (await primary.storedSegments(again)).map((segment) => segment !== undefined),
    [false, false, true],
  );
  await primary.uploadPart(again, part(0, false));
  await primary.uploadPart(again, part(1, true));
  await sealsLast(t, primary, again);
});

test('a request that was admitted for an earlier announcement changes nothing', async (t) => {
  const primary = await start(t, { pulls: false });
  const update = await newUpdate(primary);
  const again = await announceAgain(primary, update);
  await primary.upload(again);
  const error = await failsWith(primary.upload(update));
  t.is(error.code, 'announcement-outdated');
  t.is(error.gatewayCode, 110002);
  t.is((await primary.context(again))?.state, 'UPLOAD_OBJECT_DONE');
  await holdsExactly(t, primary, again);
});

test('segments left by an earlier announcement, unknown to the journal, do not prevent an upload', async (t) => {
  const primary = await start(t);
  const update = await newUpdate(primary);
  for (const index of [0, 2]) {
    await primary.ground.pieces.put(segmentKey(update.job, index), Buffer.alloc(SEGMENT, 7));
  }
  await primary.upload(update);
  await sealsLast(t, primary, update);
});

for (const [what, end, code, gatewayCode] of [
  ['cancelled', cancel, 'content-not-awaited', 110002],
  ['announced again', announceAgain, 'content-not-awaited', 110002],
  [
    'deleted with its object',
    ({ chain }: Primary, { job }: Payload) => {
      chain.callOff(job.objectId);
      chain.objects.delete(job.objectId);
    },
    'no-such-object',
    20008,
  ],
] as const) {
  test(`content that is ${what} during its upload is refused with ${gatewayCode}, and leaves nothing`, async (t) => {
    const primary = await start(t);
    const update = await newUpdate(primary);
    async function* body() {
      yield* chunks(update.bytes.subarray(0, 4_000));
      await end(primary, update);
      yield* chunks(update.bytes.subarray(4_000));
    }
    const error = await failsWith(primary.upload(update, body()));
    t.is(error.code, code);
    t.is(error.gatewayCode, gatewayCode);
    t.is((await primary.context(update))?.state, 'OBJECT_DISCONTINUED');
    await eventually('its actor is gone', () => !primary.line(update));
    await isEmpty(t, primary, update);
    t.false(await primary.ground.queue.has(update.job));
  });

  test(`a part of content that is ${what} during its upload is refused with ${gatewayCode}, and leaves nothing`, async (t) => {
    const primary = await start(t);
    const update = await newUpdate(primary, 3 * SEGMENT);
    const part = { firstSegment: 0, segmentCount: 1, complete: false };
    await primary.uploadPart(update, part);
    async function* body() {
      await end(primary, update);
      yield* chunks(update.bytes.subarray(SEGMENT, 2 * SEGMENT));
    }
    const error = await failsWith(primary.uploadPart(update, { ...part, firstSegment: 1 }, body()));
    t.is(error.code, code);
    t.is(error.gatewayCode, gatewayCode);
    await eventually('its actor is gone', () => !primary.line(update));
    await isEmpty(t, primary, update);
  });
}

test('a chain that does not answer fails no upload', async (t) => {
  const primary = await start(t, { pulls: false });
  const update = await newUpdate(primary);
  async function* body() {
    yield* chunks(update.bytes);
    primary.chain.outage = new Error('no node answers');
  }
  await primary.upload(update, body());
  t.is((await primary.context(update))?.state, 'UPLOAD_OBJECT_DONE');
  await holdsExactly(t, primary, update);
});

test('the deadline of an earlier announcement does not reject the next one', async (t) => {
  const { chain, again, ended } = await withTimeEnough(async (jobDeadlineMs) => {
    const primary = await start(t, { timing: { jobDeadlineMs } });
    const { peers, chain } = primary;
    const { opened } = gate();
    const hung: AbortSignal[] = [];
    peers.onOffer = (_offer, signal) => {
      if (signal) hung.push(signal);
      return orAborted(opened, signal);
    };
    const update = await newUpdate(primary);
    await primary.upload(update);
    const { deadlineAt = 0 } = (await primary.context(update)) ?? {};
    await eventually('all columns hang', () => hung.length === 6 || Date.now() >= deadlineAt);
    const again = await announceAgain(primary, update);
    if (Date.now() >= deadlineAt) return undefined;
    return { chain, again, ended: await primary.reaches(update, 'OBJECT_DISCONTINUED') };
  });
  const { discontinuedBecause, reject } = ended;
  t.regex(discontinuedBecause ?? '', /cancelled, and other content announced/);
  t.is(reject, undefined);
  t.deepEqual(chain.broadcasts, []);
  t.deepEqual((await chain.objectById(again.job.objectId))?.update?.checksums, again.object.checksums);
});
