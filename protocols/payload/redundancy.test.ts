import test from 'ava';
import { Terminal } from '../errors.ts';
import { planPayload } from './plan.ts';
import { REDUNDANCY_NUMBER, redundancyCode, redundancyFromWire } from './redundancy.ts';

test("today's numbers and names are known", (t) => {
  t.is(redundancyFromWire(0), 'EC');
  t.is(redundancyFromWire(1), 'REPLICA');
  t.is(redundancyFromWire('REDUNDANCY_EC_TYPE'), 'EC');
  t.is(redundancyFromWire('REDUNDANCY_REPLICA_TYPE'), 'REPLICA');
  t.is(redundancyFromWire(REDUNDANCY_NUMBER.EC), 'EC');
  t.is(redundancyFromWire(REDUNDANCY_NUMBER.REPLICA), 'REPLICA');
});

test('INLINE is refused by name', (t) => {
  for (const wire of [2, 'REDUNDANCY_INLINE_TYPE']) {
    const error = t.throws(() => redundancyFromWire(wire), { instanceOf: Terminal, message: /INLINE/ });
    t.is(error?.code, 'inline-redundancy');
  }
});

test('anything else is refused', (t) => {
  for (const wire of [-1, 3, 'EC', '', 'toString']) {
    const error = t.throws(() => redundancyFromWire(wire), { instanceOf: Terminal });
    t.is(error?.code, 'bad-redundancy');
  }
});

const shape = { dataChunks: 4, parityChunks: 2, maxSegmentSize: 8, payloadSize: 13 };
const segment = Uint8Array.of(1, 2, 3, 4, 5);

test('pieces have the lengths of the plan, one for each column', (t) => {
  for (const redundancy of ['EC', 'REPLICA'] as const) {
    const plan = planPayload({ ...shape, redundancy });
    const pieces = redundancyCode(plan).encode(segment);
    t.is(pieces.length, plan.columnCount);
    for (const piece of pieces) t.is(piece.length, plan.pieceLength(1));
  }
});

test('a replica is the segment itself, and any single one restores it', (t) => {
  const code = redundancyCode({ ...shape, redundancy: 'REPLICA' });
  for (const piece of code.encode(segment)) t.is(piece.buffer, segment.buffer);
  t.deepEqual(code.shard(segment, 5), segment);
  const [none, piece] = [undefined, segment];
  t.deepEqual(code.reconstruct([none, none, none, none, piece, none], segment.length), segment);
});
