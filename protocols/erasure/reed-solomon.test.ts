import { randomBytes } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '../errors.ts';
import { inverse, multiply } from './galois.ts';
import { ReedSolomon } from './reed-solomon.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/**
 * The code by its other definition: byte j of shard x is the value at x of the polynomial that takes the bytes j
 * of the data shards at 0, 1, …; by Lagrange's formula.
 */
function interpolate(data: readonly Uint8Array[], x: number): Uint8Array {
  const weights = data.map((_, i) =>
    data.reduce((weight, _, j) => (i === j ? weight : multiply(weight, multiply(x ^ j, inverse(i ^ j)))), 1),
  );
  return (data[0] ?? new Uint8Array()).map((_, at) =>
    data.reduce((sum, shard, i) => sum ^ multiply(shard[at] ?? 0, weights[i] ?? 0), 0),
  );
}

const counts = fc.oneof(
  fc.constantFrom([4, 2], [1, 0], [1, 5], [2, 1], [3, 2], [5, 3], [6, 3], [8, 4], [17, 3]),
  fc.tuple(fc.integer({ min: 1, max: 20 }), fc.nat(10)),
);
const segments = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 400 }) },
  { weight: 1, arbitrary: fc.nat(300_000).map((length) => new Uint8Array(randomBytes(length))) },
);

for (const { name, segment, shards } of [
  {
    name: 'hello world',
    segment: new TextEncoder().encode('hello world'),
    shards: ['68656c', '6c6f20', '776f72', '6c6400', '9b1d4d', 'dd1185'],
  },
  { name: 'one byte', segment: Uint8Array.of(0x61), shards: ['61', '00', '00', '00', 'd2', 'e8'] },
  {
    name: 'bytes 00 to 0f',
    segment: Uint8Array.from({ length: 16 }, (_, i) => i),
    shards: ['00010203', '04050607', '08090a0b', '0c0d0e0f', '10111213', '14151617'],
  },
  { name: 'byte 10', segment: Uint8Array.of(0x10), shards: ['10', '00', '00', '00', 'ad', 'dd'] },
  { name: 'nothing', segment: new Uint8Array(), shards: ['', '', '', '', '', ''] },
]) {
  test(`shards of ${name} are those of the chain`, (t) => {
    t.deepEqual(new ReedSolomon(4, 2).encode(segment).map(hex), shards);
  });
}

test('every shard is a value of the interpolating polynomial', (t) => {
  fc.assert(
    fc.property(counts, fc.uint8Array({ maxLength: 300 }), ([data, parity], segment) => {
      const code = new ReedSolomon(data as number, parity as number);
      const shards = code.encode(segment);
      const split = code.split(segment);
      for (const [x, shard] of shards.entries()) t.true(same(shard, interpolate(split, x)), `shard ${x}`);
    }),
    { numRuns: 60 },
  );
});

test('any shards, as many as there are data shards, restore the segment and the other shards', (t) => {
  const losses = counts.chain(([data = 1, parity = 0]) =>
    fc.tuple(
      fc.constant(new ReedSolomon(data, parity)),
      fc.subarray([...Array(data + parity).keys()], { maxLength: parity }),
    ),
  );
  fc.assert(
    fc.property(losses, segments, ([code, lost], segment) => {
      const shards = code.encode(segment);
      const left = shards.map((shard, i) => (lost.includes(i) ? undefined : shard));
      t.true(same(code.reconstruct(left, segment.length), segment));
      for (const [i, shard] of code.rebuild(left).entries()) t.true(same(shard, shards[i] as Uint8Array));
    }),
  );
});

test('encoding a single shard gives the same as encoding all', (t) => {
  fc.assert(
    fc.property(counts, segments, ([data, parity], segment) => {
      const code = new ReedSolomon(data as number, parity as number);
      const shards = code.encode(segment);
      for (const [i, shard] of shards.entries()) t.true(same(code.shard(segment, i), shard));
    }),
    { numRuns: 30 },
  );
});

test('shards that are made in turns are the same', async (t) => {
  const data = fc.nat(900_000).map((length) => new Uint8Array(randomBytes(4 * length)));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom([4, 2], [4, 3], [1, 2]), data, async ([dataShards, parity], segment) => {
      const code = new ReedSolomon(dataShards as number, parity as number);
      let turns = 0;
      const turn = async () => {
        turns += 1;
      };
      const shards = await code.completeInTurns(code.split(segment), turn);
      for (const [i, shard] of code.encode(segment).entries()) t.true(same(shards[i] as Uint8Array, shard));
      t.true(turns >= Math.floor(dataShards === 1 ? 0 : segment.length / 2 ** 21));
    }),
    { numRuns: 20 },
  );
});

test('the maximum number of shards that the field allows works', (t) => {
  const code = new ReedSolomon(128, 128);
  const segment = new Uint8Array(randomBytes(500_001));
  const shards = code.encode(segment);
  t.is(shards.length, 256);
  t.true(
    same(code.reconstruct([...Array(128).fill(undefined), ...shards.slice(128)], segment.length), segment),
  );
});

test('data shards are views of the segment, except the padded end', (t) => {
  const segment = new Uint8Array(100).subarray(1, 12);
  const shards = new ReedSolomon(4, 2).split(segment);
  t.deepEqual(
    shards.map((shard) => shard.buffer === segment.buffer),
    [true, true, true, false],
  );
});

test('the results of one call are not changed by the next', (t) => {
  const code = new ReedSolomon(4, 2);
  const first = code.encode(Uint8Array.of(1, 2, 3, 4));
  const before = first.map(hex);
  code.encode(Uint8Array.of(5, 6, 7, 8));
  t.deepEqual(first.map(hex), before);
});

test('too few shards are refused', (t) => {
  const code = new ReedSolomon(4, 2);
  const [a, b, c] = code.encode(new Uint8Array(10));
  const error = t.throws(() => code.reconstruct([a, b, c, undefined, undefined, undefined], 10), {
    instanceOf: Terminal,
  });
  t.is(error?.code, 'too-few-shards');
});

test('shards that do not belong together are refused', (t) => {
  const code = new ReedSolomon(4, 2);
  const shards = code.encode(new Uint8Array(10));
  const other = new Uint8Array(4);
  for (const wrong of [
    () => code.rebuild(shards.slice(1)),
    () => code.rebuild([...shards, other]),
    () => code.rebuild([other, ...shards.slice(1)]),
    () => code.rebuild([...shards.slice(0, 5), other]),
    () => code.reconstruct(shards, 13),
    () => code.reconstruct(shards, 8),
  ]) {
    t.is(t.throws(wrong, { instanceOf: Terminal })?.code, 'bad-shards');
  }
});

test('impossible counts and indexes are refused', (t) => {
  t.is(t.throws(() => new ReedSolomon(0, 2), { instanceOf: Terminal })?.code, 'bad-shard-counts');
  t.is(t.throws(() => new ReedSolomon(255, 2), { instanceOf: Terminal })?.code, 'bad-shard-counts');
  for (const index of [-1, 6, 0.5]) {
    const error = t.throws(() => new ReedSolomon(4, 2).shard(new Uint8Array(4), index), {
      instanceOf: Terminal,
    });
    t.is(error?.code, 'bad-shard-index');
  }
});
