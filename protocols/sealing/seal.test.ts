import test from 'ava';
import { Terminal } from '../errors.ts';
import { blsPublicKeyOf, blsSign } from '../greenfield/bls.ts';
import { toHex } from '../greenfield/hex.ts';
import { HELLO_WORLD_CHECKSUMS } from '../integrity/hello-world.fixture.ts';
import type { Receipt } from '../job/context.ts';
import { aggregateReceipts, sealMessage, verifySealAggregate, verifySealSignature } from './seal.ts';
import { type SealDocument, sealDigest } from './seal-document.ts';

/** The vectors of protocols/sealing/README.md#what-secondaries-sign: "hello world", secret keys 1 to 6. */
const DOCUMENT: SealDocument = {
  chainId: 'greenfield_9000-1741',
  gvgId: 5,
  objectId: '1',
  checksums: HELLO_WORLD_CHECKSUMS,
};
const AGGREGATE =
  'b7cc13d6181b7abaf9cc21e4bcd41a07e30ea91c2bc48e879f76e5622fa6c3390b717411318dfc29c4c81295cdf6dacf06692332a51b246f7a944a6e568ea4ed54ef6c030ab0897ef8aef06f2eb511580ef529b8390c18492745280ac0fad2ba';
const SECRETS = [1, 2, 3, 4, 5, 6].map((n) =>
  Uint8Array.from(Buffer.from(n.toString(16).padStart(64, '0'), 'hex')),
);
const KEYS = SECRETS.map((secret) => toHex(blsPublicKeyOf(secret)));
const GVG = { id: 5, secondarySpIds: [12, 13, 14, 15, 16, 17] };
const RECEIPTS: Record<number, Receipt> = Object.fromEntries(
  SECRETS.map((secret, redundancyIndex) => [
    redundancyIndex,
    {
      redundancyIndex,
      spId: 12 + redundancyIndex,
      gvgId: 5,
      integrityHash: DOCUMENT.checksums[redundancyIndex + 1] as string,
      approvalSignature: '',
      blsSignature: toHex(blsSign(sealDigest(DOCUMENT), secret)),
    },
  ]),
);

test('the BLS message is that of the vector', (t) => {
  t.is(toHex(sealDigest(DOCUMENT)), '9abc7a575dc965ce4d1274b7214c5049f086317675f32de5ce14d7c6e994fd22');
});

test('every field of the document changes the message', (t) => {
  const changes: Partial<SealDocument>[] = [
    { chainId: 'greenfield_5600-1' },
    { gvgId: 6 },
    { objectId: '2' },
    { checksums: DOCUMENT.checksums.toReversed() },
  ];
  const messages = [DOCUMENT, ...changes.map((change) => ({ ...DOCUMENT, ...change }))].map(sealDigest);
  t.is(new Set(messages.map(toHex)).size, changes.length + 1);
});

test('a signature is valid only for its key and document', (t) => {
  const [first, second] = [RECEIPTS[0], RECEIPTS[1]] as [Receipt, Receipt];
  t.true(
    verifySealSignature({ document: DOCUMENT, blsKey: KEYS[0] as string, signature: first.blsSignature }),
  );
  t.false(
    verifySealSignature({ document: DOCUMENT, blsKey: KEYS[0] as string, signature: second.blsSignature }),
  );
  t.false(
    verifySealSignature({
      document: { ...DOCUMENT, gvgId: 6 },
      blsKey: KEYS[0] as string,
      signature: first.blsSignature,
    }),
  );
  for (const malformed of ['', 'zz', '00'.repeat(96)]) {
    t.false(verifySealSignature({ document: DOCUMENT, blsKey: KEYS[0] as string, signature: malformed }));
    t.false(verifySealSignature({ document: DOCUMENT, blsKey: malformed, signature: first.blsSignature }));
  }
});

test('receipts aggregate to the signature of the vector, which the chain accepts', (t) => {
  t.is(aggregateReceipts(GVG, RECEIPTS), AGGREGATE);
  t.true(verifySealAggregate(DOCUMENT, KEYS, AGGREGATE));
  t.false(verifySealAggregate(DOCUMENT, KEYS.slice(1), AGGREGATE));
  t.false(verifySealAggregate({ ...DOCUMENT, objectId: '2' }, KEYS, AGGREGATE));
});

test('no seal is made with a receipt missing or of another provider or group', (t) => {
  const last = RECEIPTS[5] as Receipt;
  const { 5: _, ...missing } = RECEIPTS;
  for (const receipts of [
    missing,
    { ...RECEIPTS, 5: { ...last, spId: 99 } },
    { ...RECEIPTS, 5: { ...last, gvgId: 6 } },
  ]) {
    const act = () => aggregateReceipts(GVG, receipts);
    t.is(t.throws(act, { instanceOf: Terminal })?.code, 'receipts-incomplete');
  }
});

test('a seal carries the checksums, whether the chain has them or not', (t) => {
  const { checksums } = DOCUMENT;
  const request = { sealAddress: '0xA', bucketName: 'b', objectName: 'o', gvgId: 5, aggregate: AGGREGATE };
  t.deepEqual(sealMessage({ ...request, checksums }), {
    typeUrl: '/greenfield.storage.MsgSealObjectV2',
    value: {
      operator: '0xA',
      bucketName: 'b',
      objectName: 'o',
      globalVirtualGroupId: 5,
      secondarySpBlsAggSignatures: AGGREGATE,
      expectChecksums: checksums,
    },
  });
});
