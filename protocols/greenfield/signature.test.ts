import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '../errors.ts';
import { fromHex, toHex } from './hex.ts';
import { isSignedBy, publicKeyOf, recoverAddress, signDigest } from './signature.ts';

const KEY = new Uint8Array(32).fill(0x11);
const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
const DIGEST = fromHex('1207ad7dce4a55f5a931789c27e72a14b94b7eacd228abcf871108b792e3e4a2');
const SIGNATURE =
  'b062366b9a70f33f688e8df927c9534f556460764baabb5d8a337370be54b150540f73fbc0d566e93f0e840d93cd3d6e159773839f856076a98a90562f49be6000';

test('signing is deterministic and returns r, s and v', (t) => {
  t.is(toHex(signDigest(DIGEST, KEY)), SIGNATURE);
  t.is(toHex(publicKeyOf(KEY)), '034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa');
});

test('the signer is recovered, with v of either convention', (t) => {
  const signature = fromHex(SIGNATURE);
  t.is(recoverAddress(DIGEST, signature), ADDRESS);
  signature[64] = 27;
  t.is(recoverAddress(DIGEST, signature), ADDRESS);
  signature[64] = 28;
  t.not(recoverAddress(DIGEST, signature), ADDRESS);
  signature[64] = 1;
  t.not(recoverAddress(DIGEST, signature), ADDRESS);
});

test('recovery finds the signer for any digest', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (digest) => {
      const signature = signDigest(digest, KEY);
      return (signature[64] as number) <= 1 && recoverAddress(digest, signature) === ADDRESS;
    }),
    { numRuns: 50 },
  );
  t.pass();
});

test('malformed signatures, digests and keys are refused', (t) => {
  const refusals: [code: string, act: () => unknown][] = [
    ['bad-signature', () => recoverAddress(DIGEST, fromHex(SIGNATURE).subarray(0, 64))],
    ['bad-signature', () => recoverAddress(DIGEST, new Uint8Array(65))],
    ['bad-signature', () => recoverAddress(DIGEST, fromHex(`${SIGNATURE.slice(0, -2)}02`))],
    ['bad-signature', () => recoverAddress(DIGEST, fromHex(`${SIGNATURE.slice(0, -2)}1d`))],
    ['bad-digest', () => recoverAddress(DIGEST.subarray(1), fromHex(SIGNATURE))],
    ['bad-digest', () => signDigest(new Uint8Array(33), KEY)],
    ['bad-private-key', () => signDigest(DIGEST, new Uint8Array(32))],
    ['bad-private-key', () => publicKeyOf(new Uint8Array(31))],
  ];
  for (const [code, act] of refusals) t.is(t.throws(act, { instanceOf: Terminal })?.code, code);
});

test('a signature belongs to one account and one digest', (t) => {
  t.true(isSignedBy(ADDRESS, DIGEST, fromHex(SIGNATURE)));
  t.false(isSignedBy(ADDRESS.toLowerCase(), DIGEST, fromHex(SIGNATURE)));
  t.false(isSignedBy(ADDRESS, new Uint8Array(32), fromHex(SIGNATURE)));
  t.false(isSignedBy(ADDRESS, DIGEST, new Uint8Array()));
});
