import test from 'ava';
import fc from 'fast-check';
import { expectChecksums } from './expect-checksums.ts';
import { PayloadHash } from './payload-hash.ts';

test('the hash of a payload is the first of its checksums, however it is cut', async (t) => {
  const shape = { maxSegmentSize: 64, dataChunks: 4, parityChunks: 2, redundancy: 'EC' } as const;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 6 }), async (chunks) => {
      const hash = new PayloadHash(shape.maxSegmentSize);
      for (const chunk of chunks) hash.update(chunk);
      const [expected] = await expectChecksums(chunks, shape);
      t.is<string | undefined, string | undefined>(hash.digest(), expected);
    }),
  );
});
