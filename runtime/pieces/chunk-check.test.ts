import { createHash, randomBytes } from 'node:crypto';
import test from 'ava';
import { ChunkCheck } from './chunk-check.ts';
import type { Lent } from './shared-chunks.ts';

/** A chunk that counts the hashes computed of it. */
function chunk(bytes: Uint8Array): Lent & { computed(): number } {
  let computed = 0;
  const hashed = new WeakMap();
  const set = hashed.set.bind(hashed);
  hashed.set = (key, value) => {
    computed += 1;
    return set(key, value);
  };
  return { bytes, hashed, computed: () => computed };
}

test('a chunk is hashed once for all readers that come from the same state', async (t) => {
  for (const length of [1_000, 2 ** 20]) {
    const parts = [randomBytes(length), randomBytes(length)] as const;
    const [begin, readAgain, second] = [chunk(parts[0]), chunk(parts[0]), chunk(parts[1])];
    const checks = Array.from({ length: 6 }, () => new ChunkCheck(2 * length));
    // Those of one state do not follow each other.
    for (const [i, check] of checks.entries()) await check.next(i % 2 === 0 ? begin : readAgain);
    for (const check of checks) await check.next(second);
    t.deepEqual([begin.computed(), readAgain.computed(), second.computed()], [1, 1, 2]);
    const expected = createHash('sha256').update(parts[0]).update(parts[1]).digest('hex');
    for (const check of checks) t.is(await check.checksum(), expected);
    t.true(await checks[0]?.again(chunk(parts[1])));
    t.false(await checks[1]?.again(chunk(parts[0])));
  }
});
