import test from 'ava';
import type { SealionError } from '../errors.ts';
import { addressOf } from './address.ts';
import { approveCreation, readBucketCreation, readObjectCreation } from './creation-approval.ts';
import { GO_APPROVALS } from './creation-approvals.fixture.ts';
import { keccak256 } from './keccak.ts';
import { isSignedBy, publicKeyOf, recoverAddress, signDigest } from './signature.ts';

const KEY = new Uint8Array(32).fill(0x44);

interface Signed {
  readonly primary_sp_approval: {
    readonly expired_height: string;
    readonly global_virtual_group_family_id: number;
    readonly sig: string;
  };
}

function hex(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('hex');
}

/** What a client sends to get this approval: its SDK leaves the approval empty. */
function unsigned(text: string): string {
  const empty = { expired_height: '0', global_virtual_group_family_id: 0, sig: null };
  return hex({ ...JSON.parse(text), primary_sp_approval: empty });
}

for (const [name, text, read] of [
  ['bucket', GO_APPROVALS.bucket, readBucketCreation],
  ['object', GO_APPROVALS.object, readObjectCreation],
] as const) {
  test(`the recorded answer of a Go SP for a new ${name} is reproduced, byte for byte`, async (t) => {
    const {
      expired_height,
      global_virtual_group_family_id: familyId,
      sig,
    } = (JSON.parse(text) as Signed).primary_sp_approval;
    const recorded = Buffer.from(sig, 'base64');
    const approval = { expiredHeight: Number(expired_height), familyId };
    const answer = await approveCreation(read(unsigned(text)), approval, async (digest) => {
      t.is(recoverAddress(digest, recorded), GO_APPROVALS.signer);
      return recorded;
    });
    t.is(Buffer.from(answer, 'hex').toString(), text);
  });
}

test('an approval is signed over the sorted message with an empty signature', async (t) => {
  const message = readBucketCreation(unsigned(GO_APPROVALS.bucket));
  const answer = await approveCreation(message, { expiredHeight: 107, familyId: 7 }, async (digest) =>
    signDigest(digest, KEY),
  );
  const text = Buffer.from(answer, 'hex').toString();
  const { sig } = (JSON.parse(text) as Signed).primary_sp_approval;
  const digest = keccak256(text.replace(sig, ''));
  t.true(isSignedBy(addressOf(publicKeyOf(KEY)), digest, Buffer.from(sig, 'base64')));
});

test('fields that are missing are empty, enums may be numbers', (t) => {
  const { creator, primary_sp_address } = JSON.parse(GO_APPROVALS.bucket);
  const little = {
    creator,
    primary_sp_address,
    bucket_name: 'photos',
    visibility: 1,
    primary_sp_approval: {},
  };
  t.deepEqual(readBucketCreation(hex(little)), {
    creator,
    primary_sp_address,
    bucket_name: 'photos',
    visibility: 'VISIBILITY_TYPE_PUBLIC_READ',
    payment_address: '',
    charged_read_quota: '0',
    primary_sp_approval: { expired_height: '0', global_virtual_group_family_id: 0, sig: '' },
  });
});

test('what cannot be read as the message is 50005, what the chain would refuse 50006', (t) => {
  const bucket = JSON.parse(GO_APPROVALS.bucket);
  const object = JSON.parse(GO_APPROVALS.object);
  const cases: readonly (readonly [number, typeof readBucketCreation | typeof readObjectCreation, string])[] =
    [
      [50005, readBucketCreation, ''],
      [50005, readBucketCreation, 'xyz'],
      [50005, readBucketCreation, hex('{')],
      [50005, readBucketCreation, hex('null')],
      [50005, readBucketCreation, hex({ ...bucket, more: 1 })],
      [50005, readBucketCreation, hex({ ...bucket, visibility: 'constructor' })],
      [50005, readBucketCreation, hex({ ...bucket, visibility: 4 })],
      [50005, readBucketCreation, hex({ ...bucket, charged_read_quota: `${2n ** 64n}` })],
      [50005, readBucketCreation, hex({ ...bucket, charged_read_quota: -1 })],
      [50005, readBucketCreation, hex(object)],
      [50006, readBucketCreation, hex({ ...bucket, visibility: 0 })],
      [50006, readBucketCreation, hex({ ...bucket, creator: '0x1' })],
      [50006, readBucketCreation, hex({ ...bucket, primary_sp_address: '' })],
      [50006, readBucketCreation, hex({ ...bucket, payment_address: 'me' })],
      [50006, readBucketCreation, hex({ ...bucket, primary_sp_approval: null })],
      [50006, readBucketCreation, hex({ ...bucket, bucket_name: 'A' })],
      [50005, readObjectCreation, hex(bucket)],
      [50006, readObjectCreation, hex({ ...object, expect_checksums: ['AA=='] })],
      [50006, readObjectCreation, hex({ ...object, bucket_name: '' })],
      [50044, readObjectCreation, hex({ ...object, object_name: 'a/../b' })],
    ];
  for (const [code, read, header] of cases) {
    const error = t.throws<SealionError>(() => read(header), undefined, header);
    t.is(error?.gatewayCode, code, Buffer.from(header, 'hex').toString());
  }
});
