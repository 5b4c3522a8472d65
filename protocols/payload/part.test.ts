import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '../errors.ts';
import { planPart } from './part.ts';
import { planPayload } from './plan.ts';

function plan(payloadSize: number, maxSegmentSize: number) {
  return planPayload({ payloadSize, maxSegmentSize, redundancy: 'EC', dataChunks: 4, parityChunks: 2 });
}

test('a part is any run of whole segments, or the end of the payload', (t) => {
  const payload = plan(100, 16);
  t.deepEqual(planPart(payload, 0, 16), { firstSegment: 0, segmentCount: 1 });
  t.deepEqual(planPart(payload, 32, 64), { firstSegment: 2, segmentCount: 4 });
  t.deepEqual(planPart(payload, 96, 4), { firstSegment: 6, segmentCount: 1 });
  t.deepEqual(planPart(payload, 0, 100), { firstSegment: 0, segmentCount: 7 });
});

for (const [name, offset, length, gatewayCode] of [
  ['begins within a segment', 8, 16, 50028],
  ['begins before the payload', -16, 16, 50028],
  ['begins at its end', 96 + 16, 1, 50028],
  ['begins at half a byte', 0.5, 16, 50028],
  ['ends within a segment', 16, 17, 50028],
  ['is the end of the payload but for a byte', 96, 3, 50028],
  ['is empty', 16, 0, 50028],
  ['reaches beyond the payload', 96, 5, 110008],
] as const) {
  test(`a part that ${name} is refused with ${gatewayCode}`, (t) => {
    const error = t.throws<Terminal>(() => planPart(plan(100, 16), offset, length), { instanceOf: Terminal });
    t.is(error?.gatewayCode, gatewayCode);
  });
}

test('an accepted part has exactly the bytes of its segments', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(70),
        fc.nat(70),
        (payloadSize, maxSegmentSize, offset, length) => {
          const payload = plan(payloadSize, maxSegmentSize);
          try {
            const { firstSegment, segmentCount } = planPart(payload, offset, length);
            let bytes = 0;
            for (let i = 0; i < segmentCount; i += 1) bytes += payload.segment(firstSegment + i).length;
            return payload.segment(firstSegment).offset === offset && bytes === length;
          } catch (error) {
            const whole = offset % maxSegmentSize === 0 && (offset + length) % maxSegmentSize === 0;
            const within = offset + length <= payloadSize && length > 0;
            return error instanceof Terminal && !(whole && within);
          }
        },
      ),
    ),
  );
});
