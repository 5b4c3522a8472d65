import { ed25519 } from '@noble/curves/ed25519.js';
import test from 'ava';
import { Terminal } from '../errors.ts';
import { requestDigest, type SignableRequest } from './canonical-request.ts';
import { toHex } from './hex.ts';
import {
  checkExpiry,
  parseAuthorization,
  recoverRequestSigners,
  signRequest,
  verifyEddsaRequest,
} from './request-signature.ts';

const KEY = new Uint8Array(32).fill(0x11);
const SEED = new Uint8Array(32).fill(0x22);
const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
const EDDSA_KEY = 'a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0';

/** The vectors of protocols/greenfield/README.md#request-signing and #off-chain-keys. */
const PUT: SignableRequest = {
  method: 'PUT',
  target: '/a/b%20c.txt',
  host: 'mybucket.sp0.example.com',
  headers: [
    ['x-gnfd-txn-hash', 'AABB'],
    ['x-gnfd-date', '2024-01-02T03:04:05Z'],
    ['x-gnfd-expiry-timestamp', '2024-01-02T05:04:05Z'],
    ['x-gnfd-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['content-type', 'text/plain'],
  ],
};
const OFF_CHAIN: SignableRequest = { ...PUT, headers: [...PUT.headers, ['x-gnfd-user-address', ADDRESS]] };

test('signing a request produces the header of the vector', (t) => {
  t.is(
    signRequest(PUT, KEY),
    'GNFD1-ECDSA, Signature=1ecf03c19fef4ef7b3549c1eed47f4c05066d2b10e1163cd1eced6902a62ed4746f95f123ad3b4d05e35b9ba2a3ff4d36f6e6dc8f69c78d6b938edba572ed3b800',
  );
});

test('the signer is recovered from the header', (t) => {
  const { scheme, signature } = parseAuthorization(signRequest(PUT, KEY));
  t.is(scheme, 'GNFD1-ECDSA');
  t.deepEqual(recoverRequestSigners(PUT, signature), [ADDRESS]);
  for (const changes of [{ method: 'POST' }, { target: '/a/b' }, { host: 'other' }, { headers: [] }]) {
    t.notDeepEqual(recoverRequestSigners({ ...PUT, ...changes }, signature), [ADDRESS]);
  }
});

test('the host may have been signed with its port or without', (t) => {
  const arrived = { ...PUT, host: `${PUT.host}:9033` };
  for (const signed of [PUT, arrived]) {
    const signers = recoverRequestSigners(arrived, parseAuthorization(signRequest(signed, KEY)).signature);
    t.is(signers.length, 2);
    t.true(signers.includes(ADDRESS));
  }
});

test('an EDDSA signature is that of the vector, and valid only for its request and key', (t) => {
  t.is(toHex(requestDigest(OFF_CHAIN)), 'ee98f823d210ee3bd4d4251af88afe56ae215fe2d86dff8deec12158c9ccef49');
  const { scheme, signature } = parseAuthorization(
    'GNFD2-EDDSA,Signature=48ab6f3d3430d8289533c505c41c750f880833aacff13135c755510817754a8645042f251936c0523ea5735e596e57a693ebff52d64e55b50f91c94001d3bd03',
  );
  t.is(scheme, 'GNFD2-EDDSA');
  t.deepEqual(signature, ed25519.sign(requestDigest(OFF_CHAIN), SEED));
  t.true(verifyEddsaRequest(OFF_CHAIN, signature, EDDSA_KEY));
  t.true(verifyEddsaRequest({ ...OFF_CHAIN, host: `${PUT.host}:9033` }, signature, EDDSA_KEY));
  t.false(verifyEddsaRequest(PUT, signature, EDDSA_KEY));
  t.false(verifyEddsaRequest(OFF_CHAIN, signature, toHex(ed25519.getPublicKey(KEY))));
  t.false(verifyEddsaRequest(OFF_CHAIN, new Uint8Array(64).fill(0xff), EDDSA_KEY));
});

test('Authorization headers are read with or without the space, and refused in any other form', (t) => {
  const hex = 'ab'.repeat(65);
  t.is(toHex(parseAuthorization(`GNFD1-ECDSA,Signature=${hex}`).signature), hex);
  const code = (header: string): number | undefined =>
    t.throws(() => parseAuthorization(header), { instanceOf: Terminal })?.gatewayCode;
  t.is(code(''), 50001);
  t.is(code(`GNFD1-EDDSA,Signature=${hex}`), 50001);
  t.is(code(`constructor,Signature=${hex}`), 50001);
  t.is(code('GNFD1-ECDSA'), 50002);
  t.is(code('GNFD1-ECDSA,'), 50002);
  t.is(code(`GNFD1-ECDSA,Signature=${hex}00`), 50002);
  t.is(code(`GNFD1-ECDSA,SignedMsg=a,Signature=${hex}`), 50002);
  t.is(code(`GNFD2-EDDSA,Signature=${hex}`), 50002);
});

test('a malformed signature is refused as tampered', (t) => {
  const act = () => recoverRequestSigners(PUT, new Uint8Array(65).fill(9));
  t.is(t.throws(act, { instanceOf: Terminal })?.gatewayCode, 50003);
  const unreadable = () => recoverRequestSigners({ ...PUT, target: '/%' }, new Uint8Array(65));
  t.is(t.throws(unreadable, { instanceOf: Terminal })?.code, 'bad-request-target');
});

test('the expiry is in the future, by seven days at most', (t) => {
  const now = Date.parse('2024-01-02T03:04:05Z');
  for (const good of ['2024-01-02T03:04:06Z', '2024-01-09T03:04:05Z', '2024-01-02T06:04:05.5+02:00']) {
    t.notThrows(() => checkExpiry(good, now));
  }
  for (const bad of [
    undefined,
    null,
    '',
    '2024-01-02T03:04:05Z',
    '2024-01-09T03:04:06Z',
    '2024-01-02T05:04:05',
    '2024-13-02T05:04:05Z',
    '2024-01-02',
    'tomorrow',
  ]) {
    t.is(t.throws(() => checkExpiry(bad, now), { instanceOf: Terminal })?.gatewayCode, 50023);
  }
});
