import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '../errors.ts';
import { base64ToHex, bytesToHex, hexToBase64, hexToBytes } from './hex.ts';

test('bytes come back from hex and from base64', (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const hex = bytesToHex(bytes);
      t.deepEqual(hexToBytes(hex), bytes);
      t.deepEqual(hexToBytes(hex, bytes.length), bytes);
      t.is(base64ToHex(hexToBase64(hex)), hex);
    }),
  );
});

test('a view of a larger buffer gives only its own bytes', (t) => {
  t.is(bytesToHex(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)), '0203');
});

test('other spellings of hex are refused', (t) => {
  for (const text of ['0', '0x00', 'FF', 'zz', '00\n', ' 00']) {
    t.is(t.throws(() => hexToBytes(text), { instanceOf: Terminal })?.code, 'bad-hex', text);
  }
  t.throws(() => hexToBytes('0000', 1), { instanceOf: Terminal, message: /1 bytes/ });
});

test('other spellings of base64 are refused', (t) => {
  for (const text of ['AA', 'A', '_w==', 'AA== ', 'AB==']) {
    t.is(t.throws(() => base64ToHex(text), { instanceOf: Terminal })?.code, 'bad-base64', text);
  }
});
