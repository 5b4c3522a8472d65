import test from 'ava';
import { Terminal } from '../errors.ts';
import { blsPublicKeyOf, blsSign } from '../greenfield/bls.ts';
import { toHex } from '../greenfield/hex.ts';
import { signDigest } from '../greenfield/signature.ts';
import { HELLO_WORLD_CHECKSUMS } from '../integrity/hello-world.fixture.ts';
import type { Receipt } from '../job/context.ts';
import { verifySealSignature } from '../sealing/seal.ts';
import { columnDigest } from './column-document.ts';
import { checkReceipt, type ReceiptSubject, signReceipt } from './receipts.ts';

const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
const APPROVAL_KEY = new Uint8Array(32).fill(0x11);
const BLS_KEY = new Uint8Array(32).fill(0x07);
const KEYS = {
  approval: { sign: async (digest: Uint8Array) => signDigest(digest, APPROVAL_KEY) },
  bls: { sign: async (message: Uint8Array) => blsSign(message, BLS_KEY) },
};
const SP = {
  id: 12,
  operatorAddress: ADDRESS,
  approvalAddress: ADDRESS,
  blsKey: toHex(blsPublicKeyOf(BLS_KEY)),
};
const SUBJECT: ReceiptSubject = {
  chainId: 'greenfield_9000-1741',
  objectId: '1',
  gvg: { id: 5, secondarySpIds: [12, 13, 14, 15, 16, 17] },
  redundancyIndex: 0,
  checksums: HELLO_WORLD_CHECKSUMS,
};

test("the approval key's digest and signature are those of the vector (protocols/replication/README.md#the-secondarys-signature)", async (t) => {
  const document = {
    operatorAddress: ADDRESS,
    objectId: '1',
    integrityHash: '7fc8e8d337c5a486405d983526243cc5a651c19a528a5b1f2f73c68ae351fb42',
  };
  t.is(toHex(columnDigest(document)), '1207ad7dce4a55f5a931789c27e72a14b94b7eacd228abcf871108b792e3e4a2');
  t.is(
    (await signReceipt(SUBJECT, ADDRESS, KEYS)).approvalSignature,
    'b062366b9a70f33f688e8df927c9534f556460764baabb5d8a337370be54b150540f73fbc0d566e93f0e840d93cd3d6e159773839f856076a98a90562f49be6000',
  );
});

test('a receipt that a secondary signed passes the check of the primary', async (t) => {
  const receipt = await signReceipt(SUBJECT, ADDRESS, KEYS);
  await t.notThrowsAsync(checkReceipt(receipt, SUBJECT, SP, 'nats', verifySealSignature));
  await t.notThrowsAsync(
    checkReceipt({ ...receipt, approvalSignature: '' }, SUBJECT, SP, 'http', verifySealSignature),
  );
});

test('a receipt for anything else is refused', async (t) => {
  const receipt = await signReceipt(SUBJECT, ADDRESS, KEYS);
  const code = async (
    changes: Partial<Receipt>,
    subject: Partial<ReceiptSubject> = {},
    sp: Partial<typeof SP> = {},
  ): Promise<string> => {
    const changed = { ...receipt, ...changes };
    const check = checkReceipt(
      changed,
      { ...SUBJECT, ...subject },
      { ...SP, ...sp },
      'nats',
      verifySealSignature,
    );
    return (await t.throwsAsync(check, { instanceOf: Terminal })).code;
  };
  t.is(await code({ redundancyIndex: 1 }), 'receipt-mismatch');
  t.is(await code({ gvgId: 6 }), 'receipt-mismatch');
  t.is(await code({ spId: 13 }), 'receipt-mismatch');
  t.is(await code({}, {}, { id: 13 }), 'receipt-mismatch');
  t.is(await code({}, { gvg: { id: 5, secondarySpIds: [] } }), 'receipt-mismatch');
  t.is(await code({}, { checksums: [] }), 'receipt-mismatch');
  t.is(await code({ integrityHash: SUBJECT.checksums[2] as string }), 'wrong-integrity-hash');
  t.is(await code({ approvalSignature: '' }), 'wrong-approval-signature');
  t.is(await code({ approvalSignature: '00'.repeat(65) }), 'wrong-approval-signature');
  t.is(await code({}, { objectId: '2' }), 'wrong-approval-signature');
  t.is(
    await code({}, {}, { operatorAddress: '0x1563915e194D8CfBA1943570603F7606A3115508' }),
    'wrong-approval-signature',
  );
  t.is(
    await code({}, {}, { approvalAddress: '0x1563915e194D8CfBA1943570603F7606A3115508' }),
    'wrong-approval-signature',
  );
  t.is(await code({ blsSignature: '' }), 'wrong-bls-signature');
  t.is(await code({}, { chainId: 'greenfield_5600-1' }), 'wrong-bls-signature');
  t.is(await code({}, {}, { blsKey: toHex(blsPublicKeyOf(APPROVAL_KEY)) }), 'wrong-bls-signature');
});

test('an index outside the group has no receipt', async (t) => {
  await t.throwsAsync(signReceipt({ ...SUBJECT, redundancyIndex: 6 }, ADDRESS, KEYS), {
    instanceOf: Terminal,
  });
});
