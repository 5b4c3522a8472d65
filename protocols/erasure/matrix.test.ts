import test from 'ava';
import fc from 'fast-check';
import { encodingMatrix, inverted, product, validShardCounts } from './matrix.ts';

const identity = (size: number) =>
  Array.from({ length: size }, (_, i) => Uint8Array.from({ length: size }, (_, j) => (i === j ? 1 : 0)));

test('the parity rows of 4+2 are those of the chain', (t) => {
  const matrix = encodingMatrix(4, 2);
  t.deepEqual(matrix.slice(0, 4), identity(4));
  t.deepEqual(matrix.slice(4), [Uint8Array.of(27, 28, 18, 20), Uint8Array.of(28, 27, 20, 18)]);
});

test('any square choice of rows can be inverted', (t) => {
  const choices = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(8))
    .chain(([data, parity]) =>
      fc.tuple(
        fc.constant(encodingMatrix(data, parity)),
        fc.shuffledSubarray([...Array(data + parity).keys()], { minLength: data, maxLength: data }),
      ),
    );
  fc.assert(
    fc.property(choices, ([matrix, rows]) => {
      const square = rows.map((row) => matrix[row] as Uint8Array);
      t.deepEqual(product(square, inverted(square)), identity(rows.length));
    }),
  );
});

test('a singular matrix has no inverse', (t) => {
  t.throws(() => inverted([Uint8Array.of(1, 2), Uint8Array.of(1, 2)]), { instanceOf: RangeError });
});

test('counts of shards are bounded by the field', (t) => {
  t.true(validShardCounts(1, 0));
  t.true(validShardCounts(128, 128));
  for (const [data, parity] of [
    [0, 1],
    [1, -1],
    [1.5, 1],
    [200, 57],
    [Number.NaN, 1],
  ] as const) {
    t.false(validShardCounts(data, parity));
  }
});
