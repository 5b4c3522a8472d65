import test from 'ava';
import { Terminal } from '../errors.ts';
import { addressOf, checksumAddress, isAddress } from './address.ts';
import { fromHex } from './hex.ts';

const COMPRESSED = '034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa';

test('an address of a public key is in EIP-55 case', (t) => {
  t.is(addressOf(fromHex(COMPRESSED)), '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A');
});

test('an address in any case is converted to EIP-55 case', (t) => {
  // the examples of EIP-55 itself
  for (const address of [
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
  ]) {
    t.is(checksumAddress(address.toLowerCase()), address);
    t.is(checksumAddress(`0x${address.slice(2).toUpperCase()}`), address);
  }
});

test('text that is not an address is refused', (t) => {
  for (const text of [
    '',
    '0x',
    '19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
    `0x${'g'.repeat(40)}`,
    `0x${'1'.repeat(41)}`,
  ]) {
    t.false(isAddress(text));
    t.is(t.throws(() => checksumAddress(text), { instanceOf: Terminal })?.code, 'bad-address');
  }
});

test('bytes that are not a point on the curve are refused', (t) => {
  t.is(t.throws(() => addressOf(new Uint8Array(33)), { instanceOf: Terminal })?.code, 'bad-public-key');
});
