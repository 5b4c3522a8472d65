import test from 'ava';
import fc from 'fast-check';
import { Cancelled, type SealionError, Terminal } from '#protocols/errors';
import { planPayload } from '#protocols/payload/plan';
import { gate } from '#runtime/actors/testing';
import { SegmentReader } from './segment-reader.ts';

async function* chunks(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (let turn = 0; offset < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
}

function plan(payloadSize: number, maxSegmentSize: number) {
  return planPayload({ payloadSize, maxSegmentSize, redundancy: 'EC', dataChunks: 4, parityChunks: 2 });
}

async function collect(
  body: AsyncIterable<Uint8Array>,
  size: number,
  segment: number,
  range = { firstSegment: 0, segmentCount: plan(size, segment).segmentCount },
): Promise<Buffer[]> {
  const { signal } = new AbortController();
  const reader = new SegmentReader(body, plan(size, segment), range, { signal });
  const segments: Buffer[] = [];
  for (let i = 0; i < range.segmentCount; i += 1) {
    const parts: Uint8Array[] = [];
    for await (const part of reader.segment(range.firstSegment + i)) parts.push(part);
    segments.push(Buffer.concat(parts));
  }
  await reader.end();
  return segments;
}

test('segments hold the payload in order, however it is chunked', async (t) => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.array(fc.integer({ min: 0, max: 70 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, sizes, segment) => {
          const body = chunks(bytes, [...sizes, 1]);
          const segments = await collect(body, bytes.length, segment);
          t.deepEqual(Buffer.concat(segments), Buffer.from(bytes));
          return segments.every((one, i) => one.length === plan(bytes.length, segment).segment(i).length);
        },
      ),
    ),
  );
});

for (const [sent, code] of [
  [9, 'payload-too-short'],
  [11, 'payload-too-long'],
  [15, 'payload-too-long'],
  [0, 'payload-too-short'],
] as const) {
  test(`a payload of 10 bytes of which ${sent} arrive is refused with 110008`, async (t) => {
    const body = chunks(new Uint8Array(sent), [4]);
    const error = await t.throwsAsync<SealionError>(collect(body, 10, 4), { instanceOf: Terminal });
    t.is(error?.code, code);
    t.is(error?.gatewayCode, 110008);
  });
}

test('a part holds its own segments and nothing before or after them', async (t) => {
  const bytes = Uint8Array.from({ length: 10 }, (_, i) => i);
  const cut = async (firstSegment: number, segmentCount: number, sent: Uint8Array) =>
    (await collect(chunks(sent, [3]), 10, 4, { firstSegment, segmentCount })).map((segment) => [...segment]);
  t.deepEqual(await cut(1, 1, bytes.subarray(4, 8)), [[4, 5, 6, 7]]);
  t.deepEqual(await cut(1, 2, bytes.subarray(4)), [
    [4, 5, 6, 7],
    [8, 9],
  ]);
  const short = await t.throwsAsync<SealionError>(cut(1, 1, bytes.subarray(4, 7)));
  t.is(short?.code, 'payload-too-short');
  t.regex(short?.message ?? '', /only 3 bytes; 4 were/);
  const long = await t.throwsAsync<SealionError>(cut(1, 1, bytes.subarray(4, 9)));
  t.is(long?.code, 'payload-too-long');
});

test('the signal ends the wait for a stream that hangs', async (t) => {
  const { opened, open } = gate();
  const ended = gate();
  async function* hanging() {
    try {
      yield new Uint8Array(3);
      await opened;
    } finally {
      ended.open();
    }
  }
  const stop = new AbortController();
  const waits: boolean[] = [];
  const range = { firstSegment: 0, segmentCount: 1 };
  const onWait = (waiting: boolean) => waits.push(waiting);
  const reader = new SegmentReader(hanging(), plan(10, 10), range, { signal: stop.signal, onWait });
  const segment = reader.segment(0);
  t.is((await segment.next()).value?.length, 3);
  const next = segment.next();
  stop.abort();
  await t.throwsAsync(next, { instanceOf: Cancelled });
  t.deepEqual(waits, [true, false, true, false]);
  reader.close();
  open();
  await ended.opened;
  t.is(reader.received, 3);
});
