import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '../errors.ts';
import { type PayloadShape, planPayload } from './plan.ts';

const MiB = 1024 * 1024;
const mainnet: PayloadShape = {
  payloadSize: 0,
  maxSegmentSize: 16 * MiB,
  redundancy: 'EC',
  dataChunks: 4,
  parityChunks: 2,
};

test('only the last segment is shorter', (t) => {
  const plan = planPayload({ ...mainnet, payloadSize: 33 * MiB + 5 });
  t.is(plan.segmentCount, 3);
  t.deepEqual(plan.segment(1), { index: 1, offset: 16 * MiB, length: 16 * MiB });
  t.deepEqual(plan.segment(2), { index: 2, offset: 32 * MiB, length: MiB + 5 });
  t.is(plan.pieceLength(0), 4 * MiB);
  t.is(plan.pieceLength(2), MiB / 4 + 2);
  t.is(plan.columnLength, 8 * MiB + MiB / 4 + 2);
  t.is(plan.columnCount, 6);
});

test('a payload of whole segments has no empty one at its end', (t) => {
  const plan = planPayload({ ...mainnet, payloadSize: 32 * MiB });
  t.is(plan.segmentCount, 2);
  t.is(plan.segment(1).length, 16 * MiB);
});

test('a replica piece is the whole segment', (t) => {
  const plan = planPayload({ ...mainnet, redundancy: 'REPLICA', payloadSize: 17 * MiB });
  t.is(plan.pieceLength(0), 16 * MiB);
  t.is(plan.pieceLength(1), MiB);
  t.is(plan.columnLength, 17 * MiB);
  t.is(plan.columnCount, 6);
});

test('an empty payload has no segments', (t) => {
  const plan = planPayload(mainnet);
  t.is(plan.segmentCount, 0);
  t.is(plan.columnLength, 0);
});

test('segments cover the payload without gaps, and pieces fill the column', (t) => {
  const shapes = fc.record({
    payloadSize: fc.nat(5000),
    maxSegmentSize: fc.integer({ min: 1, max: 700 }),
    redundancy: fc.constantFrom('EC' as const, 'REPLICA' as const),
    dataChunks: fc.integer({ min: 1, max: 12 }),
    parityChunks: fc.nat(6),
  });
  fc.assert(
    fc.property(shapes, (shape) => {
      const plan = planPayload(shape);
      let offset = 0;
      let column = 0;
      for (let i = 0; i < plan.segmentCount; i++) {
        const segment = plan.segment(i);
        t.is(segment.offset, offset);
        t.true(segment.length > 0 && segment.length <= shape.maxSegmentSize);
        offset += segment.length;
        column += plan.pieceLength(i);
      }
      t.is(offset, shape.payloadSize);
      t.is(column, plan.columnLength);
    }),
  );
});

test('a segment beyond the payload is refused', (t) => {
  const plan = planPayload({ ...mainnet, payloadSize: 1 });
  for (const index of [-1, 1, 0.5, Number.NaN]) {
    t.throws(() => plan.segment(index), { instanceOf: Terminal, message: /has 1/ });
  }
});

test('impossible parameters are refused', (t) => {
  const wrong: Partial<PayloadShape>[] = [
    { payloadSize: -1 },
    { payloadSize: 1.5 },
    { maxSegmentSize: 0 },
    { dataChunks: 0 },
    { parityChunks: -1 },
    { dataChunks: 255 },
  ];
  for (const fields of wrong) {
    const error = t.throws(() => planPayload({ ...mainnet, ...fields }), { instanceOf: Terminal });
    t.is(error?.code, 'bad-payload-shape');
  }
});
