import test from 'ava';
import fc from 'fast-check';
import { readRange } from './range.ts';

test('no header means the whole payload', (t) => {
  t.is(readRange(undefined, 10), undefined);
});

test('ranges, open ranges and suffixes are clamped to the payload', (t) => {
  const cases: [string, number, number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=2-4', 2, 3],
    ['bytes=2-', 2, 8],
    ['bytes=2-99', 2, 8],
    ['bytes=9-9', 9, 1],
    ['bytes=-3', 7, 3],
    ['bytes=-99', 0, 10],
    ['BYTES=2-4', 2, 3],
    ['bytes= 2-4 , ,', 2, 3],
    [`bytes=2-${'9'.repeat(400)}`, 2, 8],
  ];
  for (const [header, offset, length] of cases) {
    t.deepEqual(readRange(header, 10), { offset, length }, header);
  }
});

test('a range without a byte of the payload cannot be satisfied', (t) => {
  for (const header of ['bytes=10-', 'bytes=10-12', 'bytes=-0', `bytes=${'9'.repeat(400)}-`]) {
    t.is(readRange(header, 10), 'unsatisfiable', header);
  }
});

test('anything else is ignored, and so is every range of an empty payload', (t) => {
  const wrong = ['bytes=4-2', 'bytes=-', 'bytes=', 'bytes=a-b', 'bytes=--1', 'bytes=1.5-2', 'bytes=2 - 4'];
  for (const header of [...wrong, 'bytes=0-1,3-4', 'bytes=0-1,-1', '0-1', 'items=0-1', 'bytes 0-1', '']) {
    t.is(readRange(header, 10), undefined, header);
  }
  for (const header of ['bytes=0-', 'bytes=-1', 'bytes=-0']) t.is(readRange(header, 0), undefined);
});

/** The bytes of a payload that a range selects (RFC 9110 §14.1.2), found by checking each byte. */
function named(first: number | undefined, last: number | undefined, size: number): number[] {
  const bytes = Array.from({ length: size }, (_, at) => at);
  if (first === undefined) return bytes.filter((at) => at >= size - (last as number));
  return bytes.filter((at) => at >= first && (last === undefined || at <= last));
}

const position = fc.option(fc.nat(30), { nil: undefined });

test('any range names the bytes that the RFC says', (t) => {
  fc.assert(
    fc.property(position, position, fc.integer({ min: 1, max: 20 }), (first, last, size) => {
      const range = readRange(`bytes=${first ?? ''}-${last ?? ''}`, size);
      const isInvalid = first === undefined ? last === undefined : last !== undefined && last < first;
      if (isInvalid) return t.is(range, undefined);
      const expected = named(first, last, size);
      if (expected.length === 0) return t.is(range, 'unsatisfiable');
      return t.deepEqual(range, { offset: expected[0] as number, length: expected.length });
    }),
    { numRuns: 2000 },
  );
});

test('the returned range is within the payload for any header', (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, \tW"'), maxLength: 20 });
  const header = fc.oneof(
    text,
    text.map((tail) => `bytes=${tail}`),
  );
  fc.assert(
    fc.property(header, fc.nat(20), (value, size) => {
      const range = readRange(value, size);
      if (range === undefined || range === 'unsatisfiable') return;
      t.true(range.offset >= 0 && range.length > 0 && range.offset + range.length <= size, value);
    }),
    { numRuns: 2000 },
  );
});
