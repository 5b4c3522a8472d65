import test from 'ava';
import fc from 'fast-check';
import { blsPublicKeyOf, blsSign } from '#protocols/greenfield/bls';
import { toHex } from '#protocols/greenfield/hex';
import { type SealSignature, verifySealSignature } from '#protocols/sealing/seal';
import { sealDigest } from '#protocols/sealing/seal-document';
import { SealChecks } from './seal-checks.ts';

const SECRETS = [1, 2, 3].map((n) => new Uint8Array(32).fill(n));
const SEALS = [1, 2, 3].flatMap((gvgId) =>
  SECRETS.map((secret): SealSignature => {
    const checksums = Array.from({ length: 7 }, (_, i) => toHex(new Uint8Array(32).fill(i)));
    const document = { chainId: 'greenfield_9000-1741', gvgId, objectId: '1', checksums };
    return {
      document,
      blsKey: toHex(blsPublicKeyOf(secret)),
      signature: toHex(blsSign(sealDigest(document), secret)),
    };
  }),
);

test('signatures that come together are each answered as if they came alone', async (t) => {
  const one = fc.constantFrom(...SEALS);
  const seal = fc.oneof(
    { weight: 5, arbitrary: one },
    fc.tuple(one, one).map(([{ document, blsKey }, { signature }]) => ({ document, blsKey, signature })),
    one.map((good) => ({ ...good, signature: 'zz' })),
  );
  const seals = new SealChecks();
  await fc.assert(
    fc.asyncProperty(fc.array(seal, { maxLength: 20 }), async (together) => {
      const answers = await Promise.all(together.map((each) => seals.verify(each)));
      t.deepEqual(answers, together.map(verifySealSignature));
    }),
    { numRuns: 15 },
  );
});

test('a signature that comes while others are checked is answered too', async (t) => {
  const seals = new SealChecks();
  const [first, second] = SEALS as [SealSignature, SealSignature];
  const answers = await Promise.all([
    ...Array.from({ length: 10 }, () => seals.verify(first)),
    seals.verify(first).then(() => seals.verify({ ...second, signature: first.signature })),
  ]);
  t.deepEqual(answers, [...Array.from({ length: 10 }, () => true), false]);
});
