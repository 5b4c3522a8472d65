import test from 'ava';
import fc from 'fast-check';
import { type SealionError, Terminal } from '../protocols/errors.ts';
import { planPayload } from '../protocols/payload/plan.ts';
import { collectSegments } from './segment-reader.ts';

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
  bytes: Uint8Array,
  sizes: readonly number[],
  size: number,
  segment: number,
  range = { firstSegment: 0, segmentCount: plan(size, segment).segmentCount },
) {
  const { signal } = new AbortController();
  const segments: Uint8Array[] = [];
  for await (const one of collectSegments(chunks(bytes, sizes), plan(size, segment), range, signal))
    segments.push(one);
  return segments;
}

test('however a payload is chunked, its segments hold it in order', async (t) => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 64 }),
        async (bytes, sizes, segment) => {
          const segments = await collect(bytes, sizes, bytes.length, segment);
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
  [0, 'payload-too-short'],
] as const) {
  test(`a payload of 10 bytes of which ${sent} arrive is refused with 110008`, async (t) => {
    const error = await t.throwsAsync<SealionError>(collect(new Uint8Array(sent), [4], 10, 4), {
      instanceOf: Terminal,
    });
    t.is(error?.code, code);
    t.is(error?.gatewayCode, 110008);
  });
}

test('a part holds its own segments, and nothing of what comes before or after them', async (t) => {
  const bytes = Uint8Array.from({ length: 10 }, (_, i) => i);
  const lengths = async (firstSegment: number, segmentCount: number, sent: Uint8Array) =>
    (await collect(sent, [3], 10, 4, { firstSegment, segmentCount })).map((segment) => [...segment]);
  t.deepEqual(await lengths(1, 1, bytes.subarray(4, 8)), [[4, 5, 6, 7]]);
  t.deepEqual(await lengths(1, 2, bytes.subarray(4)), [
    [4, 5, 6, 7],
    [8, 9],
  ]);
  const short = await t.throwsAsync<SealionError>(lengths(1, 1, bytes.subarray(4, 7)));
  t.is(short?.code, 'payload-too-short');
  t.regex(short?.message ?? '', /only 3 bytes; 4 were/);
  const long = await t.throwsAsync<SealionError>(lengths(1, 1, bytes.subarray(4, 9)));
  t.is(long?.code, 'payload-too-long');
});
