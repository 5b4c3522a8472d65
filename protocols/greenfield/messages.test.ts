import * as tx from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '../errors.ts';
import { fromHex, toHex } from './hex.ts';
import { decodeMessage, encodeMessage, type Message, signerOfMessage } from './messages.ts';

const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
const AGGREGATE = 'ab'.repeat(96);

const SEAL: Message = {
  typeUrl: '/greenfield.storage.MsgSealObject',
  value: {
    operator: ADDRESS,
    bucketName: 'mybucket',
    objectName: 'a/b c.txt',
    globalVirtualGroupId: 5,
    secondarySpBlsAggSignatures: AGGREGATE,
  },
};

test('a seal has the protobuf bytes of the vector', (t) => {
  const address = Buffer.from(ADDRESS).toString('hex');
  t.is(
    toHex(encodeMessage(SEAL).value),
    `0a2a${address}12086d796275636b65741a09612f6220632e74787420052a60${AGGREGATE}`,
  );
});

const text = fc.string({ unit: 'grapheme' });
const hex = fc.uint8Array({ maxLength: 40 }).map(toHex);
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.nat(0xffffffff);
const visibility = fc.constantFrom('UNSPECIFIED', 'PUBLIC_READ', 'PRIVATE', 'INHERIT');
const redundancyType = fc.constantFrom('EC', 'REPLICA');
const approval = fc.option(fc.record({ expiredHeight: u64, globalVirtualGroupFamilyId: u32, sig: hex }), {
  nil: undefined,
});
const named = { operator: text, bucketName: text, objectName: text };
const content = { payloadSize: u64, contentType: text, expectChecksums: fc.array(hex, { maxLength: 7 }) };
const seal = { ...named, globalVirtualGroupId: u32, secondarySpBlsAggSignatures: hex };

const time = fc.option(fc.integer({ min: 0, max: 250_000_000_000_000 }), { nil: undefined });
const quota = fc.option(fc.record({ value: u64 }), { nil: undefined });
const principal = fc.option(
  fc.record({ type: fc.constantFrom('UNSPECIFIED', 'ACCOUNT', 'GROUP'), value: text }),
  { nil: undefined },
);
const statement = fc.record({
  effect: fc.constantFrom('UNSPECIFIED', 'ALLOW', 'DENY'),
  actions: fc.array(fc.constantFrom('GET_OBJECT', 'CREATE_OBJECT', 'ALL'), { maxLength: 3 }),
  resources: fc.array(text, { maxLength: 3 }),
  expirationTime: time,
  limitSize: quota,
});

const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  ofType('/greenfield.storage.MsgCreateBucket', {
    creator: text,
    bucketName: text,
    visibility,
    paymentAddress: text,
    primarySpAddress: text,
    primarySpApproval: approval,
    chargedReadQuota: u64,
  }),
  ofType('/greenfield.storage.MsgCreateObject', {
    creator: text,
    bucketName: text,
    objectName: text,
    visibility,
    primarySpApproval: approval,
    redundancyType,
    ...content,
  }),
  ofType('/greenfield.storage.MsgCancelCreateObject', named),
  ofType('/greenfield.storage.MsgRejectSealObject', named),
  ofType('/greenfield.storage.MsgDeleteObject', named),
  ofType('/greenfield.storage.MsgCancelUpdateObjectContent', named),
  ofType('/greenfield.payment.MsgCreatePaymentAccount', { creator: text }),
  ofType('/greenfield.payment.MsgDeposit', { creator: text, to: text, amount: text }),
  ofType('/greenfield.payment.MsgWithdraw', { creator: text, from: text, amount: text }),
  ofType('/greenfield.storage.MsgPutPolicy', {
    operator: text,
    principal,
    resource: text,
    statements: fc.array(statement, { maxLength: 3 }),
    expirationTime: time,
  }),
  ofType('/greenfield.storage.MsgDeletePolicy', { operator: text, principal, resource: text }),
  ofType('/greenfield.storage.MsgCreateGroup', { creator: text, groupName: text, extra: text }),
  ofType('/greenfield.storage.MsgDeleteGroup', { operator: text, groupName: text }),
  ofType('/greenfield.storage.MsgLeaveGroup', { member: text, groupOwner: text, groupName: text }),
  ofType('/greenfield.storage.MsgUpdateGroupMember', {
    operator: text,
    groupOwner: text,
    groupName: text,
    membersToAdd: fc.array(fc.record({ member: text, expirationTime: time }), { maxLength: 3 }),
    membersToDelete: fc.array(text, { maxLength: 3 }),
  }),
  ofType('/greenfield.storage.MsgUpdateObjectInfo', { ...named, visibility }),
  ofType('/greenfield.storage.MsgUpdateBucketInfo', {
    operator: text,
    bucketName: text,
    chargedReadQuota: quota,
    paymentAddress: text,
    visibility,
  }),
  ofType('/greenfield.storage.MsgSetTag', {
    operator: text,
    resource: text,
    tags: fc.option(fc.record({ tags: fc.array(fc.record({ key: text, value: text }), { maxLength: 4 }) }), {
      nil: undefined,
    }),
  }),
  ofType('/greenfield.storage.MsgToggleSPAsDelegatedAgent', { operator: text, bucketName: text }),
  ofType('/greenfield.storage.MsgDiscontinueObject', {
    operator: text,
    bucketName: text,
    objectIds: fc.array(fc.nat().map(String), { maxLength: 3 }),
    reason: text,
  }),
  ofType('/greenfield.storage.MsgDiscontinueBucket', { operator: text, bucketName: text, reason: text }),
  ofType('/greenfield.sp.MsgUpdateStorageProviderStatus', {
    spAddress: text,
    status: fc.constantFrom('IN_SERVICE', 'IN_MAINTENANCE'),
    duration: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  ofType('/greenfield.storage.MsgDeleteBucket', { operator: text, bucketName: text }),
  ofType('/greenfield.storage.MsgUpdateObjectContent', { ...named, ...content }),
  ofType('/greenfield.storage.MsgSealObject', seal),
  ofType('/greenfield.storage.MsgSealObjectV2', { ...seal, expectChecksums: content.expectChecksums }),
  ofType('/greenfield.storage.MsgDelegateCreateObject', {
    ...named,
    creator: text,
    visibility,
    redundancyType,
    ...content,
  }),
  ofType('/greenfield.storage.MsgDelegateUpdateObjectContent', { ...named, updater: text, ...content }),
);

function ofType(
  typeUrl: Message['typeUrl'],
  fields: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Message> {
  return fc.record({ typeUrl: fc.constant(typeUrl), value: fc.record(fields) }) as fc.Arbitrary<Message>;
}

test('decoding reverses encoding for every message and value', (t) => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      t.deepEqual(decodeMessage(encodeMessage(message)), message);
    }),
    { numRuns: 300 },
  );
});

test('64-bit numbers keep every bit on the wire', (t) => {
  const { value } = encodeMessage({
    typeUrl: '/greenfield.storage.MsgUpdateObjectContent',
    value: {
      operator: ADDRESS,
      bucketName: 'mybucket',
      objectName: 'x',
      payloadSize: 2n ** 64n - 1n,
      contentType: '',
      expectChecksums: [],
    },
  });
  t.is(tx.MsgUpdateObjectContent.decode(value).payloadSize.toString(), '18446744073709551615');
});

test('the signer is the field that the chain uses', (t) => {
  t.is(signerOfMessage(SEAL), ADDRESS);
  const create = decodeMessage({
    typeUrl: '/greenfield.storage.MsgCreateObject',
    value: fromHex(`0a03${Buffer.from('0xA').toString('hex')}`),
  });
  t.is(signerOfMessage(create), '0xA');
});

test('unknown types, enum values and broken bytes are refused', (t) => {
  const code = (typeUrl: string, value: string): string | undefined =>
    t.throws(() => decodeMessage({ typeUrl, value: fromHex(value) }), { instanceOf: Terminal })?.code;
  t.is(code('/greenfield.storage.MsgDoNothing', ''), 'unknown-message');
  t.is(code('constructor', ''), 'unknown-message');
  t.is(code('/greenfield.storage.MsgSealObject', '0a2a'), 'bad-message');
  t.is(code('/greenfield.storage.MsgCreateObject', '2863'), 'bad-message');
});
