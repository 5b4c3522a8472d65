import { bls12_381 } from '@noble/curves/bls12-381.js';
import test from 'ava';
import { Terminal } from '../errors.ts';
import {
  type BlsSigned,
  blsAggregate,
  blsPublicKeyOf,
  blsSign,
  blsVerify,
  blsVerifyAggregate,
  blsVerifyAll,
} from './bls.ts';
import { fromHex, toHex } from './hex.ts';

type G2 = ReturnType<typeof bls12_381.G2.Point.fromBytes>;

const MESSAGE = fromHex('9abc7a575dc965ce4d1274b7214c5049f086317675f32de5ce14d7c6e994fd22');
const SECRETS = [1, 2, 3, 4, 5, 6].map((n) => fromHex(n.toString(16).padStart(64, '0')));
const PUBLIC = SECRETS.map(blsPublicKeyOf);
const SIGNATURES = SECRETS.map((secret) => blsSign(MESSAGE, secret));
const AGGREGATE =
  'b7cc13d6181b7abaf9cc21e4bcd41a07e30ea91c2bc48e879f76e5622fa6c3390b717411318dfc29c4c81295cdf6dacf06692332a51b246f7a944a6e568ea4ed54ef6c030ab0897ef8aef06f2eb511580ef529b8390c18492745280ac0fad2ba';

test('keys and signatures are those of the vectors', (t) => {
  t.deepEqual(PUBLIC.slice(0, 3).map(toHex), [
    '97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb',
    'a572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e',
    '89ece308f9d1f0131765212deca99697b112d61f9be9a5f1f3780a51335b3ff981747a0b2ca2179b96d2c0c9024e5224',
  ]);
  t.is(
    toHex(SIGNATURES[0] as Uint8Array),
    '8ba72fe2143de297bf56bccc2168222dc55188a22a16369afb5bb25db155d224cdbf6f1fa70bd211d9938e395eb8ceb91680b57f6391721a9ca9bcf4e348b1c4b0904f6839d7af1f1c8cd0775b1abfe8d8b5077b046a60d40b905d593e8a8998',
  );
  t.is(
    toHex(SIGNATURES[1] as Uint8Array),
    'a8f198e978d6e4baa41150d38f3d487dae023fa1f698af103915c2b200f46a88021d8f63a818107658fec8f3378cf75805dafe4288eea8ec32f562861118d7a0a8ee88500895328e9a76b833c561f258348298ecb14473813d30df3fd91f821b',
  );
  t.is(
    toHex(SIGNATURES[5] as Uint8Array),
    'acb366d94277eeb1a589d8ebdec8e3dda124bdd130d29ccf196eeaf2beb9ecfac4ca8000a98b4fc16f6f261152a9cee5187eaac5ac52c9063b4e0bc915f85d257e8fddad90dfb6b52a9d5066313b92431b5e04fbd376947595abee490374675f',
  );
  t.is(toHex(blsAggregate(SIGNATURES)), AGGREGATE);
});

test('signatures are those of an independent implementation', (t) => {
  const scheme = bls12_381.longSignatures;
  const point = scheme.hash(MESSAGE, 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_');
  const oracle = SECRETS.map((secret) => scheme.sign(point, secret));
  t.deepEqual(
    SIGNATURES.map(toHex),
    oracle.map((signature) => signature.toHex()),
  );
  t.is(toHex(blsAggregate(SIGNATURES)), scheme.aggregateSignatures(oracle).toHex());
});

test('an aggregate signature is valid only with every key', (t) => {
  const aggregate = fromHex(AGGREGATE);
  t.true(blsVerifyAggregate(MESSAGE, PUBLIC, aggregate));
  t.true(blsVerifyAggregate(MESSAGE, PUBLIC.toReversed(), aggregate));
  t.false(blsVerifyAggregate(MESSAGE, PUBLIC.slice(1), aggregate));
  t.false(blsVerifyAggregate(MESSAGE, [...PUBLIC.slice(1), PUBLIC[1] as Uint8Array], aggregate));
  t.false(blsVerifyAggregate(MESSAGE, PUBLIC, blsAggregate(SIGNATURES.slice(1))));
  t.false(blsVerifyAggregate(new Uint8Array(32), PUBLIC, aggregate));
  t.false(blsVerifyAggregate(MESSAGE, [], aggregate));
});

test('a single signature is checked against its own key', (t) => {
  const [first, second] = SIGNATURES as [Uint8Array, Uint8Array];
  t.true(blsVerify(MESSAGE, PUBLIC[0] as Uint8Array, first));
  t.false(blsVerify(MESSAGE, PUBLIC[0] as Uint8Array, second));
});

test('several signatures, also of different messages, are valid together only if each is', (t) => {
  const other = fromHex('00'.repeat(32));
  const signed = SECRETS.map((secret, i): BlsSigned => {
    const message = i < 3 ? MESSAGE : other;
    return { message, publicKey: blsPublicKeyOf(secret), signature: blsSign(message, secret) };
  });
  t.true(blsVerifyAll(signed));
  t.true(blsVerifyAll(signed.slice(0, 1)));
  for (const [i, one] of signed.entries()) {
    t.false(blsVerifyAll(signed.with(i, { ...one, message: i < 3 ? other : MESSAGE })));
    const { signature } = signed.at(i - 1) as BlsSigned;
    t.false(blsVerifyAll(signed.with(i, { ...one, signature })));
  }
});

test('wrong signatures that make up for each other are still wrong', (t) => {
  const [first, second, third] = SIGNATURES.map((bytes) => bls12_381.G2.Point.fromBytes(bytes)) as [
    G2,
    G2,
    G2,
  ];
  const forged = [first.add(third), second.subtract(third)].map((point) => point.toBytes(true));
  const keys = PUBLIC.slice(0, 2);
  t.true(blsVerifyAggregate(MESSAGE, keys, blsAggregate(forged)), 'their sum is right');
  const signed = forged.map((signature, i) => ({
    message: MESSAGE,
    publicKey: keys[i] as Uint8Array,
    signature,
  }));
  t.false(blsVerifyAll(signed));
});

test('malformed keys and signatures are never valid', (t) => {
  const good = SIGNATURES[0] as Uint8Array;
  const infinity = new Uint8Array(96);
  infinity[0] = 0xc0;
  for (const bad of [new Uint8Array(), new Uint8Array(96), good.subarray(1), infinity]) {
    t.false(blsVerify(MESSAGE, PUBLIC[0] as Uint8Array, bad));
    t.false(blsVerifyAll([{ message: MESSAGE, publicKey: PUBLIC[0] as Uint8Array, signature: bad }]));
    t.is(t.throws(() => blsAggregate([good, bad]), { instanceOf: Terminal })?.code, 'bad-bls-signature');
  }
  t.false(blsVerify(MESSAGE, new Uint8Array(48), good));
  t.is(t.throws(() => blsAggregate([]), { instanceOf: Terminal })?.code, 'bad-bls-signature');
  t.is(
    t.throws(() => blsSign(MESSAGE, new Uint8Array(32)), { instanceOf: Terminal })?.code,
    'bad-private-key',
  );
});
