import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { segmentKey } from '#protocols/payload/keys';
import { gate } from '#runtime/actors/testing';
import {
  chunks,
  eventually,
  except,
  failsWith,
  newGround,
  type Payload,
  Primary,
  type PrimaryOptions,
  segmentsOf,
} from '../../testing/primary.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

/** A primary that takes uploads, and leaves the jobs in the queue. */
async function start(t: ExecutionContext, options: PrimaryOptions = {}): Promise<Primary> {
  const ground = await newGround(t, await stage().connection(t));
  return Primary.start(t, ground, { pulls: false, ...options });
}

/** A body that stops in the middle until it is told to go on. */
function halting(bytes: Uint8Array, after: number) {
  const { opened, open } = gate();
  async function* body() {
    yield* chunks(bytes.subarray(0, after));
    await opened;
    yield* chunks(bytes.subarray(after));
  }
  return { body: body(), go: open };
}

async function storedCount(primary: Primary, payload: Payload): Promise<number> {
  return (await primary.storedSegments(payload)).filter((segment) => segment).length;
}

test('an acknowledged upload is persisted, stored whole and queued', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { durability, integrityHash } = await primary.upload(payload);
  t.is(payload.object.checksums[0], integrityHash);
  t.is(durability, 'crash-safe');

  const types = (await primary.events(payload)).map(({ type }) => type);
  t.deepEqual(types, ['JobCreated', 'UploadStarted', 'UploadCompleted']);
  t.true(await primary.ground.queue.has(payload.job));
  const stored = await primary.storedSegments(payload);
  t.deepEqual(
    stored.map((segment) => segment && Buffer.from(segment)),
    segmentsOf(payload).map((segment) => Buffer.from(segment)),
  );
});

test('no byte is read before the journal has the job', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const seen: (string | undefined)[] = [];
  async function* body() {
    seen.push((await primary.context(payload))?.state);
    yield payload.bytes;
  }
  await primary.upload(payload, body());
  t.deepEqual(seen, ['UPLOAD_OBJECT_DOING']);
});

test('an upload that cannot be queued is not acknowledged, and its payload is kept', async (t) => {
  const refused = new Terminal({ code: 'queue-full', message: 'The queue takes nothing.' });
  const ground = await newGround(t, await stage().connection(t));
  const queue = except(ground.queue, { enqueue: () => Promise.reject(refused) });
  const primary = await Primary.start(t, ground, { pulls: false, ports: { queue } });
  const payload = await primary.newObject();
  t.is(await failsWith(primary.upload(payload)), refused);
  t.is((await primary.context(payload))?.state, 'UPLOAD_OBJECT_DONE');
  t.is(await storedCount(primary, payload), 5);
});

const FAULTS: readonly {
  readonly name: string;
  readonly code: string;
  readonly gatewayCode: number;
  body(payload: Payload): AsyncIterable<Uint8Array>;
}[] = [
  {
    name: 'too short',
    code: 'payload-too-short',
    gatewayCode: 110008,
    body: ({ bytes }) => chunks(bytes.subarray(1)),
  },
  {
    name: 'too long',
    code: 'payload-too-long',
    gatewayCode: 110008,
    body: ({ bytes }) => chunks(Buffer.concat([bytes, Buffer.of(1)])),
  },
  {
    name: 'of other bytes',
    code: 'integrity-mismatch',
    gatewayCode: 110004,
    body: ({ bytes }) => chunks(randomBytes(bytes.length)),
  },
  {
    name: 'broken off by the client',
    code: 'client-gone',
    gatewayCode: 110005,
    async *body({ bytes }) {
      yield* chunks(bytes.subarray(0, 3_000));
      throw new Cancelled({ code: 'client-gone', message: 'The client is gone.', gatewayCode: 110005 });
    },
  },
];

for (const { name, code, gatewayCode, body } of FAULTS) {
  test(`a payload that is ${name} is refused with ${gatewayCode}, leaves nothing, and can be uploaded again`, async (t) => {
    const primary = await start(t);
    const payload = await primary.newObject();
    const error = await failsWith(primary.upload(payload, body(payload)));
    t.is(error.code, code);
    t.is(error.gatewayCode, gatewayCode);
    const context = await primary.context(payload);
    t.is(context?.state, 'UPLOAD_OBJECT_ERROR');
    t.is(context?.failure?.code, code);
    t.false(await primary.ground.queue.has(payload.job));

    await primary.upload(payload);
    t.is((await primary.context(payload))?.uploadAttempt, 2);
    t.is(await storedCount(primary, payload), 5);
  });
}

test('the segments of a failed upload are deleted', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await failsWith(primary.upload(payload, chunks(payload.bytes.subarray(0, 4_000))));
  await eventually('its actor is gone', () => !primary.line(payload));
  t.is(await storedCount(primary, payload), 0);
});

test('a second upload is refused with 110003 and does not disturb the first', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { body, go } = halting(payload.bytes, 2_500);
  const first = primary.upload(payload, body);
  await eventually('the upload runs', () => primary.line(payload)?.children.length === 1);
  t.regex(primary.line(payload)?.activity?.doing ?? '', /attempt 1/);
  const second = await failsWith(primary.upload(payload));
  t.is(second.code, 'upload-in-progress');
  t.is(second.gatewayCode, 110003);
  go();
  t.is(payload.object.checksums[0], (await first).integrityHash);
  t.is((await primary.context(payload))?.uploadAttempt, 1);
});

test('a new upload replaces one of the same account whose client is silent', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { body, go } = halting(payload.bytes, 2_500);
  t.teardown(go);
  let silentMs = 4_999;
  const first = failsWith(primary.upload(payload, body, { silentMs: () => silentMs }));
  await eventually('the upload runs', () => primary.line(payload)?.children.length === 1);
  t.is((await failsWith(primary.upload(payload))).code, 'upload-in-progress', 'not silent for long enough');
  silentMs = 5_000;
  t.is((await failsWith(primary.upload(payload, undefined, { account: '0xB' }))).code, 'upload-in-progress');

  t.is((await primary.upload(payload)).integrityHash, payload.object.checksums[0]);
  const { code, gatewayCode } = await first;
  t.deepEqual([code, gatewayCode], ['upload-taken-over', 110005]);
  const types = (await primary.events(payload)).map(({ type }) => type);
  const attempts = ['UploadStarted', 'UploadFailed', 'UploadStarted', 'UploadCompleted'];
  t.deepEqual(types, ['JobCreated', ...attempts]);
  t.is(await storedCount(primary, payload), 5);
});

test('late bytes of a silent client do not affect the upload that replaced it', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { body: wrong, go: goOn } = halting(randomBytes(payload.bytes.length), 2_500);
  const first = failsWith(primary.upload(payload, wrong, { silentMs: () => 5_000 }));
  await eventually('the upload runs', () => primary.line(payload)?.children.length === 1);
  const { body, go } = halting(payload.bytes, 2_500);
  const second = primary.upload(payload, body);
  t.is((await first).code, 'upload-taken-over');
  goOn();
  go();
  await second;
  const stored = await primary.storedSegments(payload);
  t.deepEqual(
    stored.map((segment) => segment && Buffer.from(segment)),
    segmentsOf(payload).map((segment) => Buffer.from(segment)),
  );
});

test('a second upload through another node is refused with 110003, and the first continues', async (t) => {
  const primary = await start(t);
  const other = await Primary.start(t, primary.ground, { pulls: false, ports: { node: 'other' } });
  const payload = await primary.newObject();
  const { body, go } = halting(payload.bytes, 2_500);
  const first = primary.upload(payload, body);
  await eventually('the upload runs', () => primary.line(payload)?.children.length === 1);
  const second = await failsWith(other.upload(payload));
  t.is(second.gatewayCode, 110003);
  t.regex(second.message, /by test/);
  go();
  await first;
});

test('a repeated upload after the acknowledgement is refused with 110006', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.upload(payload);
  const error = await failsWith(primary.upload(payload));
  t.is(error.code, 'already-uploaded');
  t.is(error.gatewayCode, 110006);
  t.is(await storedCount(primary, payload), 5);
});

/** A history that ends in the middle of an upload whose node has crashed, with some segments stored. */
async function crashed(
  primary: Primary,
  { job, object }: Payload,
  stored: readonly Uint8Array[],
): Promise<void> {
  const { journal, pieces } = primary.ground;
  await journal.append(job, 1, { type: 'JobCreated', at: 1, id: job, object, deadlineAt: 2 });
  await journal.append(job, 2, { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 2 });
  for (const [index, segment] of stored.entries()) await pieces.put(segmentKey(job, index), segment);
}

test('an upload whose owner is lost is continued by the next owner, with its own deadline', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await crashed(primary, payload, segmentsOf(payload).slice(0, 2));
  await primary.upload(payload);
  const context = await primary.context(payload);
  t.is(context?.uploadAttempt, 2);
  t.true((context?.deadlineAt ?? 0) > Date.now());
  t.deepEqual(
    (await primary.events(payload))
      .slice(2)
      .map((event) => ('failure' in event ? event.failure.code : event.type)),
    ['owner-lost', 'UploadStarted', 'UploadCompleted'],
    'segments that hold the same bytes are taken as they are',
  );
});

test('segments with other bytes are deleted only after the journal records it', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const order: string[] = [];
  const journal = except(ground.journal, {
    append: async (...args: Parameters<typeof ground.journal.append>) => {
      await ground.journal.append(...args);
      order.push(args[2].type);
    },
  });
  const pieces = except(ground.pieces, {
    delete: async (key: string) => {
      order.push(`delete ${key}`);
      await ground.pieces.delete(key);
    },
  });
  const primary = await Primary.start(t, ground, { pulls: false, ports: { journal, pieces } });
  const payload = await primary.newObject();
  const [first = payload.bytes] = segmentsOf(payload);
  await crashed(primary, payload, [first, randomBytes(1_024), randomBytes(1_024)]);
  await primary.upload(payload);
  const key = (index: number) => `delete ${segmentKey(payload.job, index)}`;
  t.deepEqual(
    order.filter((entry) => entry.startsWith('delete') || entry === 'SegmentDiscarded').toSorted(),
    [key(1), key(2), 'SegmentDiscarded', 'SegmentDiscarded'].toSorted(),
  );
  for (const [event, entry] of [...order.entries()].filter(([, entry]) => entry.startsWith('delete'))) {
    const deleted = order.slice(0, event).filter((other) => other.startsWith('delete')).length;
    const justified = order.slice(0, event).filter((other) => other === 'SegmentDiscarded').length;
    t.true(justified > deleted, `${entry} came after its event`);
  }
  t.is(await storedCount(primary, payload), 5);
});

test('after a failed upload, content announced again under the same version is accepted', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  await primary.upload(payload);
  primary.chain.seal(payload.job.objectId, 1);
  const first = await primary.newUpdate(payload, 3_000);
  await failsWith(primary.upload(first, chunks(first.bytes.subarray(1))));
  primary.chain.callOff(payload.job.objectId);
  const second = await primary.newUpdate(payload, 2_000);
  t.deepEqual(second.job, first.job);
  await primary.upload(second);
  t.deepEqual((await primary.context(second))?.object, second.object);
});

test('an uploader fenced by another owner overwrites and deletes nothing', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const theirs = randomBytes(1_024);
  const { body, go } = halting(payload.bytes, 2_500);
  const upload = failsWith(primary.upload(payload, body));
  await eventually('two segments are stored', async () => (await storedCount(primary, payload)) === 2);

  const { journal, pieces } = primary.ground;
  const failure = { code: 'owner-lost', message: '', attempt: 1, resume: 'UPLOAD_OBJECT_DOING' } as const;
  await journal.append(payload.job, 3, { type: 'UploadFailed', at: 1, failure });
  await journal.append(payload.job, 4, { type: 'UploadStarted', at: 1, attempt: 2, deadlineAt: 9 });
  await pieces.put(segmentKey(payload.job, 3), theirs);
  go();
  const error = await upload;
  t.is(error.gatewayCode, 110003);
  await eventually('its actor is gone', () => !primary.line(payload));
  t.is((await primary.events(payload)).length, 4);
  const stored = await primary.storedSegments(payload);
  t.deepEqual(stored[3] && Buffer.from(stored[3]), theirs);
  t.truthy(stored[0]);
});

test('segments of a failed upload are kept when another owner has started meanwhile', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const { journal } = ground;
  const overtaken = except(journal, {
    append: async (...args: Parameters<typeof journal.append>) => {
      await journal.append(...args);
      const [job, n, event] = args;
      if (event.type !== 'UploadFailed') return;
      await journal.append(job, n + 1, { type: 'UploadStarted', at: 1, attempt: 2, deadlineAt: 9 });
    },
  });
  const primary = await Primary.start(t, ground, { pulls: false, ports: { journal: overtaken } });
  const payload = await primary.newObject();
  await failsWith(primary.upload(payload, chunks(payload.bytes.subarray(0, 2_500))));
  await eventually('its actor is gone', () => !primary.line(payload));
  t.is(await storedCount(primary, payload), 2);
});

test('a failing PieceStore ends the upload even while the client is silent', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const away = new Retryable({ code: 'piece-store-unavailable', message: 'No PieceStore.' });
  const pieces = except(ground.pieces, {
    put: () => Promise.reject(away),
  });
  const primary = await Primary.start(t, ground, { pulls: false, ports: { pieces } });
  const payload = await primary.newObject();
  const { body, go } = halting(payload.bytes, 1_500);
  t.is((await failsWith(primary.upload(payload, body))).code, away.code);
  go();
  t.is((await primary.context(payload))?.failure?.code, away.code);
});

test('a stopping node does not wait for a silent client, and sends it an error', async (t) => {
  const primary = await start(t);
  const payload = await primary.newObject();
  const { body, go } = halting(payload.bytes, 2_500);
  const upload = failsWith(primary.upload(payload, body));
  await eventually('the upload runs', () => primary.line(payload)?.children.length === 1);
  await primary.system.stop();
  t.is((await upload).kind, 'retryable');
  go();
});
