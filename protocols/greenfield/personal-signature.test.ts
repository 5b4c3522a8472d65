import test from 'ava';
import { Terminal } from '../errors.ts';
import { toHex } from './hex.ts';
import { keccak256 } from './keccak.ts';
import { personalDigest, recoverPersonalSigner } from './personal-signature.ts';

/** The example of web3.js: the text "Some data". */
const SIGNATURE =
  '0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c';

test('text and signer are those of the vector', (t) => {
  t.is(
    toHex(personalDigest('Some data')),
    '1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655',
  );
  t.is(recoverPersonalSigner('Some data', SIGNATURE), '0x2c7536E3605D9C16a7a3D7b1898e529396a65c23');
  t.not(recoverPersonalSigner('Some date', SIGNATURE), '0x2c7536E3605D9C16a7a3D7b1898e529396a65c23');
});

test('the length of a text is counted in bytes of UTF-8', (t) => {
  t.deepEqual(personalDigest('é'), keccak256('\x19Ethereum Signed Message:\n2é'));
});

test('text that is not a signature is refused', (t) => {
  for (const bad of ['', '0x', SIGNATURE.slice(2), `${SIGNATURE}00`, `${SIGNATURE.slice(0, -2)}05`, 'zz']) {
    const error = t.throws(() => recoverPersonalSigner('Some data', bad), { instanceOf: Terminal }, bad);
    t.is(error?.gatewayCode, 50015);
  }
});
