import { keccak_256 } from '@noble/hashes/sha3.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import test from 'ava';
import fc from 'fast-check';
import { toHex } from './hex.ts';
import { keccak256 } from './keccak.ts';

test('the hash of nothing is that of Ethereum', (t) => {
  t.is(toHex(keccak256('')), 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
});

test('hashes of bytes and texts are those of an independent implementation', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 500 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      (bytes, text) => {
        t.deepEqual(keccak256(bytes), keccak_256(bytes));
        t.deepEqual(keccak256(text), keccak_256(utf8ToBytes(text)));
      },
    ),
  );
  t.deepEqual(keccak256('\ud800'), keccak_256(utf8ToBytes('\ud800')), 'half a surrogate pair');
  for (const length of [16_383, 16_384, 16_385, 100_000]) {
    const bytes = new Uint8Array(length).map((_, i) => i * i);
    t.deepEqual(keccak256(bytes), keccak_256(bytes), `${length} bytes`);
    t.deepEqual(
      keccak256(bytes.subarray(7)),
      keccak_256(bytes.subarray(7)),
      `${length} bytes from the seventh on`,
    );
  }
});

test('a hash is not changed by computing the next one', (t) => {
  const first = keccak256('first');
  const copy = Uint8Array.from(first);
  keccak256('second');
  t.deepEqual(first, copy);
});
