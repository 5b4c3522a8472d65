import test from 'ava';
import {
  APPROVAL_PATH,
  SIGNED_MESSAGE_HEADER,
  UNSIGNED_MESSAGE_HEADER,
} from '#protocols/greenfield/creation-approval';
import { keccak256 } from '#protocols/greenfield/keccak';
import { isSignedBy } from '#protocols/greenfield/signature';
import { bucket, MAINTAINER, OWNER, object, provider, SP_ID, type TestChain } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { SP_HOST } from '../testing/keys.ts';
import { signedRequest } from '../testing/signed-request.ts';

const EMPTY = { expired_height: '0', global_virtual_group_family_id: 0, sig: null };
const CHECKSUM = Buffer.alloc(32).toString('base64');

const newBucket = {
  bucket_name: 'new-bucket',
  charged_read_quota: '0',
  creator: OWNER.address,
  payment_address: '',
  primary_sp_address: provider({}).operatorAddress,
  primary_sp_approval: EMPTY,
  visibility: 'VISIBILITY_TYPE_PRIVATE',
};
const newObject = {
  bucket_name: 'photos',
  content_type: 'text/plain',
  creator: OWNER.address,
  expect_checksums: Array.from({ length: 7 }, () => CHECKSUM),
  object_name: 'new',
  payload_size: '3',
  primary_sp_approval: EMPTY,
  redundancy_type: 'REDUNDANCY_EC_TYPE',
  visibility: 'VISIBILITY_TYPE_PRIVATE',
};

function ask(action: string, message: object, by = OWNER): Request {
  const unsigned = Buffer.from(JSON.stringify(message)).toString('hex');
  const target = `${APPROVAL_PATH}?action=${action}`;
  return signedRequest({
    method: 'GET',
    host: SP_HOST,
    target,
    headers: { [UNSIGNED_MESSAGE_HEADER]: unsigned },
    by,
  });
}

function withGroup(chain: TestChain): void {
  const secondarySpIds = [2, 3, 4, 5, 6, 7];
  chain.providers = [1, ...secondarySpIds].map((id) => provider({ id }));
  chain.groups = [
    { id: 1, familyId: 7, primarySpId: SP_ID, secondarySpIds, storedSize: 0, totalDeposit: 1n },
  ];
}

for (const [action, message, family] of [
  ['CreateBucket', newBucket, 7],
  ['CreateObject', newObject, 0],
] as const) {
  test(`${action} is approved for a hundred blocks, by the approval key of the chain`, async (t) => {
    const { app, chain } = testGateway(t);
    withGroup(chain);
    const response = await app.request(ask(action, message));
    t.is(response.status, 200);
    t.is(await response.text(), '');
    const text = Buffer.from(response.headers.get(SIGNED_MESSAGE_HEADER) ?? '', 'hex').toString();
    const { primary_sp_approval: approval, ...rest } = JSON.parse(text);
    t.deepEqual({ ...rest, primary_sp_approval: EMPTY }, message);
    t.like(approval, { expired_height: '107', global_virtual_group_family_id: family });
    const signature = Buffer.from(approval.sig, 'base64');
    const digest = keccak256(text.replace(approval.sig, ''));
    t.true(isSignedBy(provider({}).approvalAddress, digest, signature));
  });
}

test('refusals have the codes of the Go SP', async (t) => {
  type Case = readonly [
    status: number,
    code: number,
    action: string,
    message: object,
    change?: (chain: TestChain) => void,
  ];
  const cases: readonly Case[] = [
    [400, 50005, 'CreateBucket', { nothing: 1 }],
    [400, 50006, 'CreateBucket', { ...newBucket, visibility: 0 }],
    [400, 20009, 'CreateBucket', { ...newBucket, bucket_name: 'photos' }],
    [406, 50014, 'CreateBucket', { ...newBucket, primary_sp_address: OWNER.address }],
    [
      403,
      50029,
      'CreateBucket',
      newBucket,
      (chain) => (chain.providers = [provider({ status: 'IN_JAILED' })]),
    ],
    [500, 540001, 'CreateBucket', newBucket, (chain) => (chain.groups = [])],
    [400, 50005, 'CreateObject', newBucket],
    [400, 50044, 'CreateObject', { ...newObject, object_name: '..' }],
    [404, 20007, 'CreateObject', { ...newObject, bucket_name: 'unknown' }],
    [
      400,
      20010,
      'CreateObject',
      newObject,
      (chain) => (chain.objects = [{ object: object({ objectName: 'new' }) }]),
    ],
    [
      403,
      50036,
      'CreateObject',
      newObject,
      (chain) => (chain.buckets = [bucket({ status: 'DISCONTINUED' })]),
    ],
    [400, 20002, 'CreateObject', newObject, (chain) => (chain.buckets = [bucket({ familyId: 99 })])],
    [400, 50008, 'MigrateBucket', newBucket],
    [400, 50008, 'constructor', newBucket],
  ];
  for (const [status, code, action, message, change] of cases) {
    const { app, chain } = testGateway(t);
    withGroup(chain);
    change?.(chain);
    const answer = await errorOf(await app.request(ask(action, message)));
    t.like(answer, { status, code }, `${action} ${code}: ${answer.message}`);
  }
});

test('a provider in maintenance approves what its maintenance account creates', async (t) => {
  const { app, chain } = testGateway(t);
  withGroup(chain);
  const [, ...others] = chain.providers;
  chain.providers = [provider({ status: 'IN_MAINTENANCE' }), ...others];
  const message = { ...newBucket, creator: MAINTAINER.address };
  t.is((await app.request(ask('CreateBucket', message, MAINTAINER))).status, 200);
  t.like(await errorOf(await app.request(ask('CreateBucket', newBucket))), { code: 50029 });
});

test('the request must be signed', async (t) => {
  const { app } = testGateway(t);
  const response = await app.request(`http://${SP_HOST}${APPROVAL_PATH}?action=CreateBucket`);
  t.like(await errorOf(response), { status: 400, code: 50001 });
});
