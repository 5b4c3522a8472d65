import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Statement } from '#protocols/greenfield/access-messages';
import type { Message, MessageValue } from '#protocols/greenfield/messages';
import { Action } from '#protocols/greenfield/types';
import { CHECKSUMS, type ChainFixture, createBucket, eventsOf, refuses, startChain } from '../testing.ts';

const OBJECT = { bucketName: 'bucket', objectName: 'o', payloadSize: 1000, checksums: CHECKSUMS };
const BUCKET = 'grn:b::bucket';

const statement = (changes: Partial<Statement>): Statement => ({
  effect: 'ALLOW',
  actions: ['GET_OBJECT'],
  resources: [],
  expirationTime: undefined,
  limitSize: undefined,
  ...changes,
});

const policy = (
  operator: string,
  to: NonNullable<MessageValue<'/greenfield.storage.MsgPutPolicy'>['principal']>,
  resource: string,
  statements: readonly Statement[],
  expirationTime?: number,
): Message => ({
  typeUrl: '/greenfield.storage.MsgPutPolicy',
  value: { operator, principal: to, resource, statements, expirationTime },
});

const account = (value: string) => ({ type: 'ACCOUNT', value }) as const;
const group = (value: string) => ({ type: 'GROUP', value }) as const;

async function start(t: ExecutionContext): Promise<ChainFixture> {
  const fixture = await startChain(t);
  await createBucket(fixture, 'bucket');
  await fixture.user.createObject({ ...OBJECT, visibility: 'PRIVATE' });
  return fixture;
}

const mayRead = ({ chain, stranger }: ChainFixture) =>
  chain.isAllowed(stranger.address, 'bucket', 'o', Action.GET_OBJECT);

test('a policy of an object lets one account perform the listed actions, until it is deleted', async (t) => {
  const fixture = await start(t);
  const { chain, user, stranger, rpc } = fixture;
  t.false(await mayRead(fixture));
  const put = policy(user.address, account(stranger.address), 'grn:o::bucket/o', [statement({})]);
  const { hash } = await user.send(put);
  t.like((await eventsOf(rpc, hash))[0], {
    type: 'greenfield.permission.EventPutPolicy',
    policy_id: '1',
    principal: { type: 'PRINCIPAL_TYPE_GNFD_ACCOUNT', value: stranger.address },
    resource_type: 'RESOURCE_TYPE_OBJECT',
    resource_id: '1',
  });
  t.true(await mayRead(fixture));
  t.false(await chain.isAllowed(stranger.address, 'bucket', 'o', Action.UPDATE_OBJECT_CONTENT));
  t.false(await chain.isAllowed('', 'bucket', 'o', Action.GET_OBJECT));

  await user.send({
    typeUrl: '/greenfield.storage.MsgDeletePolicy',
    value: { operator: user.address, principal: account(stranger.address), resource: 'grn:o::bucket/o' },
  });
  t.false(await mayRead(fixture));
});

test('a policy of a bucket reaches its objects by their resource names, and a denial wins', async (t) => {
  const fixture = await start(t);
  const { chain, user, stranger } = fixture;
  await user.createObject({ ...OBJECT, objectName: 'other', visibility: 'PRIVATE' });
  const put = (statements: readonly Statement[]) =>
    user.send(policy(user.address, account(stranger.address), BUCKET, statements));
  const mayReadOther = () => chain.isAllowed(stranger.address, 'bucket', 'other', Action.GET_OBJECT);

  // Without resources the statement applies only to the bucket.
  await put([statement({})]);
  t.false(await mayRead(fixture));
  await put([statement({ resources: ['grn:o::bucket/o$'] })]);
  t.deepEqual([await mayRead(fixture), await mayReadOther()], [true, false]);
  await put([statement({ resources: ['grn:o::bucket/.*'], actions: ['ALL'] })]);
  t.deepEqual([await mayRead(fixture), await mayReadOther()], [true, true]);
  await put([
    statement({ resources: ['grn:o::bucket/.*'] }),
    statement({ resources: ['grn:o::bucket/other'], effect: 'DENY' }),
  ]);
  t.deepEqual([await mayRead(fixture), await mayReadOther()], [true, false]);
  // The bucket's policy denies, which the object's own policy cannot override.
  await user.send(policy(user.address, account(stranger.address), 'grn:o::bucket/other', [statement({})]));
  t.false(await mayReadOther());
});

test('an expired permission does not count', async (t) => {
  const fixture = await start(t);
  const { user, stranger, chain } = fixture;
  const { time } = await chain.latestBlock();
  const put = (statements: readonly Statement[], expirationTime?: number) =>
    policy(user.address, account(stranger.address), 'grn:o::bucket/o', statements, expirationTime);
  await refuses(t, user, put([statement({})], time - 2000), 'permission 1103');
  await refuses(t, user, put([statement({ expirationTime: time - 2000 })]), 'permission 1103');
  let expires = 0;
  let granted = false;
  // On a slow machine a policy may expire before it is checked; then a longer lifetime is tried.
  for (let life = 3000; !granted && life < 100_000; life *= 2) {
    expires = (await chain.latestBlock()).time + life;
    const sent = user.send(put([statement({ expirationTime: expires })]));
    granted = await sent.then(
      () => mayRead(fixture),
      () => false,
    );
  }
  t.true(granted);
  while ((await chain.latestBlock()).time < expires + 1000) await sleep(50);
  t.false(await mayRead(fixture));
});

test('the bytes that a policy allows to create can be used up', async (t) => {
  const fixture = await start(t);
  const { user, stranger } = fixture;
  const limited = statement({ actions: ['CREATE_OBJECT'], limitSize: { value: 1500n } });
  await user.send(policy(user.address, account(stranger.address), BUCKET, [limited]));
  await stranger.createObject({ ...OBJECT, objectName: 'first' });
  t.regex(
    (await t.throwsAsync(stranger.createObject({ ...OBJECT, objectName: 'second' })))?.message ?? '',
    /has no CreateObject permission of the bucket\(bucket\): Access denied \(storage 1107\)/,
  );
  await stranger.createObject({ ...OBJECT, objectName: 'third', payloadSize: 500 });
});

test('members of a group have its permissions as long as they belong to it', async (t) => {
  const fixture = await start(t);
  const { user, stranger, rpc, chain } = fixture;
  await user.send({
    typeUrl: '/greenfield.storage.MsgCreateGroup',
    value: { creator: user.address, groupName: 'friends', extra: '' },
  });
  const members = (changes: Partial<MessageValue<'/greenfield.storage.MsgUpdateGroupMember'>>): Message => ({
    typeUrl: '/greenfield.storage.MsgUpdateGroupMember',
    value: {
      operator: user.address,
      groupOwner: user.address,
      groupName: 'friends',
      membersToAdd: [],
      membersToDelete: [],
      ...changes,
    },
  });
  const add = members({ membersToAdd: [{ member: stranger.address, expirationTime: undefined }] });
  const remove = members({ membersToDelete: [stranger.address] });
  // Named by its owner and name, kept by its id.
  const named = group(`grn:g:${user.address}:friends`);
  await user.send(policy(user.address, named, 'grn:o::bucket/o', [statement({})]));
  t.false(await mayRead(fixture));
  const { hash } = await user.send(add);
  t.like((await eventsOf(rpc, hash))[0], {
    type: 'greenfield.storage.EventUpdateGroupMember',
    group_id: '1',
    members_to_add: [{ member: stranger.address, expiration_time: null }],
    members_to_delete: [],
  });
  t.true(await mayRead(fixture));
  await refuses(t, user, add, 'storage 1110');
  await user.send(remove);
  t.false(await mayRead(fixture));
  await refuses(t, user, remove, 'storage 1103');

  const until = (await chain.latestBlock()).time - 5000;
  await user.send(members({ membersToAdd: [{ member: stranger.address, expirationTime: until }] }));
  t.false(await mayRead(fixture));
  await user.send(remove);
  await user.send(add);
  t.true(await mayRead(fixture));
  await stranger.send({
    typeUrl: '/greenfield.storage.MsgLeaveGroup',
    value: { member: stranger.address, groupOwner: user.address, groupName: 'friends' },
  });
  t.false(await mayRead(fixture));

  await user.send(add);
  // The account's own policy comes before those of its groups.
  await user.send(
    policy(user.address, account(stranger.address), 'grn:o::bucket/o', [statement({ effect: 'DENY' })]),
  );
  t.false(await mayRead(fixture));
  await user.send({
    typeUrl: '/greenfield.storage.MsgDeletePolicy',
    value: { operator: user.address, principal: account(stranger.address), resource: 'grn:o::bucket/o' },
  });
  t.true(await mayRead(fixture));
  await user.send({
    typeUrl: '/greenfield.storage.MsgDeleteGroup',
    value: { operator: user.address, groupName: 'friends' },
  });
  t.false(await mayRead(fixture));
});

test('refusals of policies and groups', async (t) => {
  const fixture = await start(t);
  const { user, stranger } = fixture;
  const put = (
    principal: Parameters<typeof policy>[1],
    resource: string,
    statements: readonly Statement[],
    expected: string,
    by = user,
  ) => refuses(t, by, policy(by.address, principal, resource, statements), expected);
  const allowed = [statement({})];
  const to = account(stranger.address);
  await user.send({
    typeUrl: '/greenfield.storage.MsgCreateGroup',
    value: { creator: user.address, groupName: 'friends', extra: '' },
  });
  const create = (groupName: string, extra = ''): Message => ({
    typeUrl: '/greenfield.storage.MsgCreateGroup',
    value: { creator: user.address, groupName, extra },
  });
  await Promise.all([
    put(to, 'nonsense', allowed, 'greenfield 1008'),
    put(to, 'grn:b:someone:bucket', allowed, 'greenfield 1008'),
    put(to, 'grn:b::no-such-bucket', allowed, 'storage 1100'),
    put(to, 'grn:o::bucket/nothing', allowed, 'storage 1101'),
    put(account(user.address), BUCKET, allowed, 'storage 1107', stranger),
    put(account(user.address), BUCKET, allowed, 'greenfield 1007'),
    put(account('nobody'), BUCKET, allowed, 'permission 1100'),
    put(group('99'), BUCKET, allowed, 'storage 1102'),
    put(group('1'), `grn:g:${user.address}:friends`, allowed, 'greenfield 1007'),
    put(to, BUCKET, [statement({ effect: 'UNSPECIFIED' })], 'permission 1101'),
    put(to, BUCKET, [statement({ actions: ['DELETE_GROUP'] })], 'permission 1101'),
    put(to, BUCKET, [statement({ limitSize: { value: 1n } })], 'permission 1101'),
    put(to, BUCKET, [statement({ resources: ['grn:o::bucket/('] })], 'permission 1101'),
    put(to, 'grn:o::bucket/o', [statement({ actions: ['DELETE_BUCKET'] })], 'permission 1101'),
    refuses(t, user, create('friends'), 'storage 1106'),
    refuses(t, user, create('ab'), 'greenfield 1002'),
    refuses(t, user, create('abc', 'x'.repeat(513)), 'greenfield 1009'),
    refuses(
      t,
      stranger,
      {
        typeUrl: '/greenfield.storage.MsgUpdateGroupMember',
        value: {
          operator: stranger.address,
          groupOwner: user.address,
          groupName: 'friends',
          membersToAdd: [],
          membersToDelete: [],
        },
      },
      'storage 1107',
    ),
  ]);
});
