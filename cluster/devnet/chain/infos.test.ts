import { QueryClientImpl as Storage } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import { createProtobufRpcClient, QueryClient } from '@cosmjs/stargate';
import { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import test, { type ExecutionContext } from 'ava';
import type { Message, MessageValue } from '#protocols/greenfield/messages';
import { Action, type Visibility } from '#protocols/greenfield/types';
import type { ChainAccount } from '../../client/chain-account.ts';
import { DevnetDecisions } from '../../client/devnet-decisions.ts';
import {
  CHECKSUMS,
  type ChainFixture,
  createBucket,
  eventsOf,
  refuses,
  reject,
  seal,
  sealMessage,
  startChain,
} from './testing.ts';

const NAMES = { bucketName: 'bucket', objectName: 'o' };
const OBJECT = { ...NAMES, payloadSize: 1000, checksums: CHECKSUMS };

async function start(t: ExecutionContext): Promise<ChainFixture> {
  const fixture = await startChain(t);
  await createBucket(fixture, 'bucket');
  await fixture.user.createObject(OBJECT);
  return fixture;
}

const objectInfo = ({ address }: ChainAccount, visibility: Visibility): Message => ({
  typeUrl: '/greenfield.storage.MsgUpdateObjectInfo',
  value: { operator: address, ...NAMES, visibility },
});

const bucketInfo = (
  { address }: ChainAccount,
  changes: Partial<MessageValue<'/greenfield.storage.MsgUpdateBucketInfo'>>,
): Message => ({
  typeUrl: '/greenfield.storage.MsgUpdateBucketInfo',
  value: {
    operator: address,
    bucketName: 'bucket',
    chargedReadQuota: undefined,
    paymentAddress: '',
    visibility: 'UNSPECIFIED',
    ...changes,
  },
});

test('the visibility of an object, or else of its bucket, decides who may read it', async (t) => {
  const fixture = await start(t);
  const { chain, user, stranger } = fixture;
  const readable = () => chain.isAllowed(stranger.address, 'bucket', 'o', Action.GET_OBJECT);
  t.is((await chain.object('bucket', 'o'))?.object.visibility, 'INHERIT');
  t.false(await readable());
  await user.send(bucketInfo(user, { visibility: 'PUBLIC_READ' }));
  t.is((await chain.bucket('bucket'))?.visibility, 'PUBLIC_READ');
  t.true(await readable());
  await user.send(objectInfo(user, 'PRIVATE'));
  t.is((await chain.object('bucket', 'o'))?.object.visibility, 'PRIVATE');
  t.false(await readable());
  await user.send(objectInfo(user, 'PUBLIC_READ'));
  await user.send(bucketInfo(user, { visibility: 'PRIVATE' }));
  t.true(await readable());

  await refuses(t, stranger, objectInfo(stranger, 'PRIVATE'), 'storage 1107');
  await refuses(t, user, objectInfo(user, 'UNSPECIFIED'), 'storage 1118');
  await refuses(t, stranger, bucketInfo(stranger, { visibility: 'PRIVATE' }), 'storage 1107');
});

test('a quota can be raised at once and lowered a month later', async (t) => {
  const fixture = await start(t);
  const { chain, user } = fixture;
  const quota = (value: bigint) => bucketInfo(user, { chargedReadQuota: { value } });
  await user.send(quota(1000n));
  t.is((await chain.bucket('bucket'))?.chargedReadQuota, 1000);
  t.regex(
    await refuses(t, user, quota(999n), 'storage 1119'),
    /can be updated to a smaller value before \d+ timestamp: Update quota failed/,
  );
  await user.send(quota(2000n));
});

test('another account pays for a bucket only when nothing waits for its seal', async (t) => {
  const fixture = await start(t);
  const { chain, user, stranger } = fixture;
  const payer = bucketInfo(user, { paymentAddress: stranger.address });
  t.regex(await refuses(t, user, payer, 'storage 1129'), /The bucket bucket has unseald objects/);
  await reject(fixture, 'bucket', 'o');
  await user.send(payer);
  t.is((await chain.bucket('bucket'))?.paymentAddress, stranger.address);
});

test('the bucket of a frozen owner cannot be changed', async (t) => {
  const fixture = await start(t);
  const { user } = fixture;
  await new DevnetDecisions(fixture.rpc).useUpBalance(user.address);
  t.regex(
    await refuses(t, user, bucketInfo(user, { visibility: 'PUBLIC_READ' }), 'undefined 1'),
    /apply user flows list failed: stream record 0x\w+ is frozen/,
  );
});

test('tags are part of the answers about a bucket and an object', async (t) => {
  const fixture = await start(t);
  const { user, stranger, rpc } = fixture;
  const comet = await Tendermint37Client.connect(rpc);
  t.teardown(() => comet.disconnect());
  const storage = new Storage(createProtobufRpcClient(new QueryClient(comet)));
  const tag = (
    { address }: ChainAccount,
    resource: string,
    tags: readonly { key: string; value: string }[] = [{ key: 'a', value: '1' }],
  ): Message => ({
    typeUrl: '/greenfield.storage.MsgSetTag',
    value: { operator: address, resource, tags: { tags } },
  });
  const { hash } = await user.send(tag(user, 'grn:o::bucket/o'));
  t.deepEqual(await eventsOf(rpc, hash), [
    {
      type: 'greenfield.storage.EventSetTag',
      resource: 'grn:o::bucket/o',
      tags: { tags: [{ key: 'a', value: '1' }] },
    },
  ]);
  await user.send(tag(user, 'grn:b::bucket', [{ key: 'b', value: '2' }]));
  t.deepEqual((await storage.HeadObject(NAMES)).objectInfo?.tags?.tags, [{ key: 'a', value: '1' }]);
  t.deepEqual((await storage.HeadBucket({ bucketName: 'bucket' })).bucketInfo?.tags?.tags, [
    { key: 'b', value: '2' },
  ]);
  await refuses(t, stranger, tag(stranger, 'grn:o::bucket/o'), 'storage 1107');
  await refuses(t, stranger, tag(stranger, 'grn:b::bucket'), 'storage 1107');
  await refuses(
    t,
    user,
    tag(user, 'grn:b::bucket', Array(5).fill({ key: 'k', value: 'v' })),
    'greenfield 1009',
  );
  await refuses(t, user, tag(user, 'grn:b::no-such-bucket'), 'storage 1100');
});

test('the owner forbids the SP to create objects for others', async (t) => {
  const fixture = await start(t);
  const { chain, user, stranger, sp } = fixture;
  const operator = sp(1, 'operator');
  const toggle = ({ address }: ChainAccount): Message => ({
    typeUrl: '/greenfield.storage.MsgToggleSPAsDelegatedAgent',
    value: { operator: address, bucketName: 'bucket' },
  });
  await refuses(t, stranger, toggle(stranger), 'storage 1107');
  await user.send(toggle(user));
  t.true((await chain.bucket('bucket'))?.delegatedAgentDisabled);
  const delegate: Message = {
    typeUrl: '/greenfield.storage.MsgDelegateCreateObject',
    value: {
      operator: operator.address,
      creator: user.address,
      bucketName: 'bucket',
      objectName: 'delegated',
      payloadSize: 1n,
      contentType: '',
      visibility: 'PRIVATE',
      expectChecksums: [],
      redundancyType: 'EC',
    },
  };
  t.regex(await refuses(t, operator, delegate, 'storage 1107'), /disabled by the bucket owner previously/);
  await user.send(toggle(user));
  await operator.send(delegate);
});

test('an SP in maintenance accepts no new objects, and seals those it has', async (t) => {
  const fixture = await start(t);
  const { chain, user, sp } = fixture;
  const operator = sp(1, 'operator');
  const status = (to: 'IN_SERVICE' | 'IN_MAINTENANCE', duration: bigint): Message => ({
    typeUrl: '/greenfield.sp.MsgUpdateStorageProviderStatus',
    value: { spAddress: operator.address, status: to, duration },
  });
  await refuses(t, operator, status('IN_SERVICE', 0n), 'sp 12');
  await refuses(t, operator, status('IN_MAINTENANCE', 0n), 'sdk 18');
  await refuses(t, operator, status('IN_MAINTENANCE', 21_601n), 'sp 16');
  await operator.send(status('IN_MAINTENANCE', 60n));
  t.is((await chain.storageProviders())[0]?.status, 'IN_MAINTENANCE');
  const again = { ...OBJECT, objectName: 'later' };
  t.regex((await t.throwsAsync(user.createObject(again)))?.message ?? '', /not in service \(sp 2\)/);
  await seal(fixture, NAMES);
  t.regex((await t.throwsAsync(user.updateObject(OBJECT)))?.message ?? '', /\(storage 1111\)/);
  await operator.send(status('IN_SERVICE', 0n));
  await user.createObject(again);
  t.regex(
    await refuses(t, operator, status('IN_MAINTENANCE', 60n), 'sp 16'),
    /wait after block height \d+: StorageProvider status is not allow to change/,
  );
});

test('a discontinued object can be neither sealed nor deleted by its owner', async (t) => {
  const fixture = await start(t);
  const { chain, user, sp, rpc } = fixture;
  const gc = sp(1, 'gc');
  const discontinue = ({ address }: ChainAccount, objectIds: readonly string[]): Message => ({
    typeUrl: '/greenfield.storage.MsgDiscontinueObject',
    value: { operator: address, bucketName: 'bucket', objectIds, reason: 'law' },
  });
  await refuses(t, user, discontinue(user, ['1']), 'storage 1111');
  await refuses(t, sp(2, 'gc'), discontinue(sp(2, 'gc'), ['1']), 'storage 1107');
  await refuses(t, gc, discontinue(gc, []), 'storage 3101');
  await refuses(t, gc, discontinue(gc, ['99']), 'storage 3101');
  const { hash } = await gc.send(discontinue(gc, ['1']));
  t.like((await eventsOf(rpc, hash))[0], {
    type: 'greenfield.storage.EventDiscontinueObject',
    bucket_name: 'bucket',
    object_id: '1',
    reason: 'law',
  });
  t.is((await chain.object('bucket', 'o'))?.object.status, 'DISCONTINUED');
  await refuses(t, gc, discontinue(gc, ['1']), 'storage 3101');
  await refuses(t, sp(1, 'seal'), await sealMessage(fixture, NAMES), 'storage 1108');
  t.regex(
    (await t.throwsAsync(user.deleteObject('bucket', 'o')))?.message ?? '',
    /The object o is discontined, will be deleted automatically: invalid object status \(storage 3105\)/,
  );

  await gc.send({
    typeUrl: '/greenfield.storage.MsgDiscontinueBucket',
    value: { operator: gc.address, bucketName: 'bucket', reason: 'law' },
  });
  t.is((await chain.bucket('bucket'))?.status, 'DISCONTINUED');
  t.regex(
    (await t.throwsAsync(user.createObject({ ...OBJECT, objectName: 'new' })))?.message ?? '',
    /the bucket is discontinued \(storage 3104\)/,
  );
  await refuses(t, gc, discontinue(gc, ['1']), 'storage 3106');
});
