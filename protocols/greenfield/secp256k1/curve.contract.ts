import test, { type ExecutionContext } from 'ava';
import { fromHex, toHex } from '../hex.ts';
import type { Curve } from './curve.ts';

const KEY = new Uint8Array(32).fill(0x11);
const PUBLIC = '034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa';
const DIGEST = fromHex('1207ad7dce4a55f5a931789c27e72a14b94b7eacd228abcf871108b792e3e4a2');
const SIGNATURE = fromHex(
  'b062366b9a70f33f688e8df927c9534f556460764baabb5d8a337370be54b150540f73fbc0d566e93f0e840d93cd3d6e159773839f856076a98a90562f49be60',
);
const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const LAST_KEY = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140';
const FIELD = 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f';

/** What every adapter of the curve must do. */
export function curveContract(title: string, curve: Curve): void {
  const holds = (what: string, run: (t: ExecutionContext) => void) => test(`${title}: ${what}`, run);

  holds('a private key is a number from 1 to below the order, in 32 bytes', (t) => {
    const one = '1'.padStart(64, '0');
    for (const key of [one, LAST_KEY, toHex(KEY)]) t.true(curve.isPrivateKey(fromHex(key)));
    for (const key of ['', '0'.repeat(64), ORDER, 'f'.repeat(64), one.slice(2), `${one}00`]) {
      t.false(curve.isPrivateKey(fromHex(key)), key);
      t.throws(() => curve.publicKeyOf(fromHex(key)), undefined, key);
      t.throws(() => curve.sign(DIGEST, fromHex(key)), undefined, key);
    }
  });

  holds('public keys are those of the vectors, in either form', (t) => {
    const publicKey = curve.publicKeyOf(KEY);
    t.is(toHex(publicKey), PUBLIC);
    const long = curve.uncompressed(publicKey);
    t.is(toHex(long), `04${PUBLIC.slice(2)}385b6b1b8ead809ca67454d9683fcf2ba03456d6fe2c4abe2b07f0fbdbb2f1c1`);
    t.deepEqual(curve.uncompressed(long), long);
  });

  holds('bytes that are not a point on the curve are not a public key', (t) => {
    const long = curve.uncompressed(fromHex(PUBLIC));
    const besides = Uint8Array.from(long);
    besides[64] = (besides[64] as number) ^ 1;
    const hybrid = Uint8Array.from(long);
    hybrid[0] = 6 + ((long[64] as number) & 1);
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(33),
      new Uint8Array(65),
      long.subarray(0, 64),
      long.subarray(0, 33),
      besides,
      hybrid,
      fromHex(`02${'f'.repeat(64)}`),
      fromHex(`02${FIELD}`),
      fromHex(`02${'5'.padStart(64, '0')}`),
      fromHex(`05${PUBLIC.slice(2)}`),
    ]) {
      t.throws(() => curve.uncompressed(bytes), undefined, toHex(bytes));
    }
  });

  holds('a signature is that of the vector', (t) => {
    t.is(toHex(curve.sign(DIGEST, KEY)), `${toHex(SIGNATURE)}00`);
  });

  holds('the signer is recovered', (t) => {
    t.deepEqual(curve.recover(DIGEST, SIGNATURE, 0), curve.uncompressed(fromHex(PUBLIC)));
    t.notDeepEqual(curve.recover(DIGEST, SIGNATURE, 1), curve.uncompressed(fromHex(PUBLIC)));
  });

  holds('a signature with high s recovers to the same key with the other v', (t) => {
    const s = BigInt(`0x${ORDER}`) - BigInt(`0x${toHex(SIGNATURE.subarray(32))}`);
    const high = fromHex(toHex(SIGNATURE.subarray(0, 32)) + s.toString(16).padStart(64, '0'));
    t.deepEqual(curve.recover(DIGEST, high, 1), curve.uncompressed(fromHex(PUBLIC)));
  });

  holds('nothing is recovered from a malformed signature', (t) => {
    const [r, s] = [toHex(SIGNATURE.subarray(0, 32)), toHex(SIGNATURE.subarray(32))];
    const zero = '0'.repeat(64);
    const noPoint = '5'.padStart(64, '0');
    for (const signature of [
      `${zero}${s}`,
      `${r}${zero}`,
      `${ORDER}${s}`,
      `${r}${ORDER}`,
      `${noPoint}${s}`,
      r,
      '',
    ]) {
      for (const v of [0, 1] as const) {
        t.throws(() => curve.recover(DIGEST, fromHex(signature), v), undefined, signature);
      }
    }
  });
}
