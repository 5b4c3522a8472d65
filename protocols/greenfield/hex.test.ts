import test from 'ava';
import { Terminal } from '../errors.ts';
import { fromHex, hexToBase64, toHex } from './hex.ts';

test('hex is read with or without 0x, in either case', (t) => {
  t.deepEqual(fromHex('0xDEadBEef'), Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
  t.is(toHex(fromHex('DEADBEEF')), 'deadbeef');
  t.deepEqual(fromHex(''), new Uint8Array());
  t.is(hexToBase64('00ff'), 'AP8=');
});

test('text that is not hex or has the wrong length is refused', (t) => {
  for (const text of ['0', 'zz', '0x1', '12 4', '１２']) {
    t.is(t.throws(() => fromHex(text), { instanceOf: Terminal })?.code, 'bad-hex');
  }
  t.is(t.throws(() => fromHex('aabb', 3), { instanceOf: Terminal })?.code, 'bad-hex');
});
