import test from 'ava';
import type { Message, MessageValue } from '#protocols/greenfield/messages';
import type { ChainAccount } from '../../client/chain-account.ts';
import { CHECKSUMS, type ChainFixture, createBucket, refuses, startChain } from './testing.ts';

const createBucketMessage = (
  { user, genesis }: ChainFixture,
  changes: Partial<MessageValue<'/greenfield.storage.MsgCreateBucket'>>,
): Message => ({
  typeUrl: '/greenfield.storage.MsgCreateBucket',
  value: {
    creator: user.address,
    bucketName: 'new-bucket',
    visibility: 'PRIVATE',
    paymentAddress: '',
    primarySpAddress: genesis.chain.sps[0]?.operatorAddress ?? '',
    primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 1, sig: '' },
    chargedReadQuota: 0n,
    ...changes,
  },
});

const createObjectMessage = (
  creator: ChainAccount,
  changes: Partial<MessageValue<'/greenfield.storage.MsgCreateObject'>>,
): Message => ({
  typeUrl: '/greenfield.storage.MsgCreateObject',
  value: {
    creator: creator.address,
    bucketName: 'bucket',
    objectName: 'object',
    payloadSize: 100n,
    visibility: 'PRIVATE',
    contentType: '',
    primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 0, sig: '' },
    expectChecksums: CHECKSUMS,
    redundancyType: 'EC',
    ...changes,
  },
});

test('refusals of a bucket', async (t) => {
  const fixture = await startChain(t);
  const { user, stranger } = fixture;
  const refusesBucket = (changes: Parameters<typeof createBucketMessage>[1], expected: string) =>
    refuses(t, user, createBucketMessage(fixture, changes), expected);
  await createBucket(fixture, 'bucket');
  await Promise.all([
    refusesBucket({ bucketName: 'bucket' }, 'storage 1104'),
    refusesBucket({ bucketName: 'Bad' }, 'greenfield 1000'),
    refusesBucket({ visibility: 'UNSPECIFIED' }, 'storage 1118'),
    refusesBucket({ primarySpAddress: 'nonsense' }, 'sdk 7'),
    refusesBucket({ primarySpAddress: stranger.address }, 'storage 1111'),
    refusesBucket({ primarySpApproval: undefined }, 'storage 1116'),
    refusesBucket(
      { primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 99, sig: '' } },
      'virtualgroup 1100',
    ),
  ]);
});

test('refusals of an object', async (t) => {
  const fixture = await startChain(t, { storage: { maxPayloadSize: 1000 } });
  const { user, stranger, sp } = fixture;
  const refusesObject = (changes: Parameters<typeof createObjectMessage>[1], expected: string) =>
    refuses(t, user, createObjectMessage(user, changes), expected);
  await createBucket(fixture, 'bucket');
  await user.send(createObjectMessage(user, {}));
  const delegate = (operator: ChainAccount): Message => ({
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
  });
  await Promise.all([
    refusesObject({}, 'storage 1105'),
    refusesObject({ bucketName: 'no-such-bucket' }, 'storage 1100'),
    refusesObject({ objectName: 'a/../b' }, 'greenfield 1001'),
    refusesObject({ payloadSize: 1001n }, 'storage 1115'),
    refusesObject({ expectChecksums: CHECKSUMS.slice(1) }, 'greenfield 1003'),
    refusesObject({ expectChecksums: CHECKSUMS.map(() => 'ff') }, 'greenfield 1003'),
    refuses(t, stranger, createObjectMessage(stranger, { objectName: 'other' }), 'storage 1107'),
    refuses(t, sp(2, 'operator'), delegate(sp(2, 'operator')), 'storage 1107'),
    refuses(
      t,
      stranger,
      {
        typeUrl: '/greenfield.storage.MsgCancelCreateObject',
        value: { operator: stranger.address, bucketName: 'bucket', objectName: 'object' },
      },
      'storage 1107',
    ),
    refuses(
      t,
      user,
      {
        typeUrl: '/greenfield.storage.MsgUpdateObjectContent',
        value: {
          operator: user.address,
          bucketName: 'bucket',
          objectName: 'object',
          payloadSize: 1n,
          contentType: '',
          expectChecksums: CHECKSUMS,
        },
      },
      'storage 1126',
    ),
  ]);
});

test('refusals of a seal, in the order of the chain’s checks', async (t) => {
  const fixture = await startChain(t, { sps: 8, stakedBytesPerGvg: 150 });
  const { user, stranger, sp, aggregate, genesis, chain } = fixture;
  await createBucket(fixture, 'bucket');
  await user.send(createObjectMessage(user, {}));
  await user.send(createObjectMessage(user, { objectName: 'too-much' }));
  const ofFamily = (familyId: number) => genesis.chain.gvgs.filter((gvg) => gvg.familyId === familyId);
  const [first, second] = ofFamily(1);
  const [foreign] = ofFamily(2);
  if (!first || !second || !foreign) return t.fail();

  const signed = aggregate(first.secondarySpIds, first.id, '1');
  const seal = (
    operator: ChainAccount,
    changes: Partial<MessageValue<'/greenfield.storage.MsgSealObject'>> = {},
  ): Message => ({
    typeUrl: '/greenfield.storage.MsgSealObject',
    value: {
      operator: operator.address,
      bucketName: 'bucket',
      objectName: 'object',
      globalVirtualGroupId: first.id,
      secondarySpBlsAggSignatures: signed,
      ...changes,
    },
  });
  const primary = sp(1, 'seal');
  const refusesSeal = (changes: Parameters<typeof seal>[1], expected: string) =>
    refuses(t, primary, seal(primary, changes), expected);
  await Promise.all([
    refusesSeal({ bucketName: 'no-such-bucket' }, 'storage 1100'),
    refuses(t, stranger, seal(stranger), 'storage 1111'),
    refuses(t, sp(1, 'operator'), seal(sp(1, 'operator')), 'storage 1111'),
    refuses(t, sp(2, 'seal'), seal(sp(2, 'seal')), 'storage 1107'),
    refusesSeal({ objectName: 'no-such-object' }, 'storage 1101'),
    refusesSeal({ globalVirtualGroupId: 9999 }, 'virtualgroup 1102'),
    refusesSeal({ globalVirtualGroupId: foreign.id }, 'storage 1123'),
    refusesSeal({ secondarySpBlsAggSignatures: 'ab' }, 'greenfield 1013'),
    refusesSeal({ secondarySpBlsAggSignatures: '00'.repeat(96) }, 'greenfield 1013'),
    // One secondary has not signed.
    refusesSeal(
      { secondarySpBlsAggSignatures: aggregate(first.secondarySpIds.slice(1), first.id, '1') },
      'greenfield 1013',
    ),
    // All have signed, but for another group of the family, another object, or other content.
    refusesSeal({ globalVirtualGroupId: second.id }, 'greenfield 1013'),
    refusesSeal(
      { secondarySpBlsAggSignatures: aggregate(first.secondarySpIds, first.id, '2') },
      'greenfield 1013',
    ),
    refusesSeal(
      {
        secondarySpBlsAggSignatures: aggregate(first.secondarySpIds, first.id, '1', [...CHECKSUMS].reverse()),
      },
      'greenfield 1013',
    ),
  ]);
  t.is((await chain.objectById('1'))?.object.status, 'CREATED');

  await primary.send(seal(primary));
  await Promise.all([
    refusesSeal({}, 'storage 1108'),
    // 100 of the group's 150 bytes are in use.
    refusesSeal(
      {
        objectName: 'too-much',
        secondarySpBlsAggSignatures: aggregate(first.secondarySpIds, first.id, '2'),
      },
      'storage 1123',
    ),
    refuses(
      t,
      primary,
      {
        typeUrl: '/greenfield.storage.MsgRejectSealObject',
        value: { operator: primary.address, bucketName: 'bucket', objectName: 'object' },
      },
      'storage 1112',
    ),
    refuses(
      t,
      sp(2, 'seal'),
      {
        typeUrl: '/greenfield.storage.MsgRejectSealObject',
        value: { operator: sp(2, 'seal').address, bucketName: 'bucket', objectName: 'too-much' },
      },
      'storage 1107',
    ),
  ]);
  // Another group of the family has room for an object that does not fit into the first.
  await primary.send(
    seal(primary, {
      objectName: 'too-much',
      globalVirtualGroupId: second.id,
      secondarySpBlsAggSignatures: aggregate(second.secondarySpIds, second.id, '2'),
    }),
  );
  t.is((await chain.objectById('2'))?.gvg?.id, second.id);
});

test('a seal without checksums on chain or in the message is refused', async (t) => {
  const fixture = await startChain(t);
  const { user, sp } = fixture;
  await createBucket(fixture, 'bucket');
  await sp(1, 'operator').send({
    typeUrl: '/greenfield.storage.MsgDelegateCreateObject',
    value: {
      operator: sp(1, 'operator').address,
      creator: user.address,
      bucketName: 'bucket',
      objectName: 'object',
      payloadSize: 1n,
      contentType: '',
      visibility: 'PRIVATE',
      expectChecksums: [],
      redundancyType: 'EC',
    },
  });
  await refuses(
    t,
    sp(1, 'seal'),
    {
      typeUrl: '/greenfield.storage.MsgSealObject',
      value: {
        operator: sp(1, 'seal').address,
        bucketName: 'bucket',
        objectName: 'object',
        globalVirtualGroupId: 1,
        secondarySpBlsAggSignatures: '00'.repeat(96),
      },
    },
    'storage 1130',
  );
});
