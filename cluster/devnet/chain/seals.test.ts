import test from 'ava';
import type { Message, MessageValue } from '#protocols/greenfield/messages';
import { CHECKSUMS, createBucket, refuses, seal, sealMessage, startChain } from './testing.ts';

const NAMES = { bucketName: 'bucket', objectName: 'o' };
const OBJECT = { ...NAMES, payloadSize: 100, checksums: CHECKSUMS };

test('the text of a refused seal gives the reason, and 1123 has many reasons', async (t) => {
  // Group 8 has one member too few.
  const short = { id: 8, familyId: 1, primarySpId: 1, secondarySpIds: [2, 3, 4, 5, 6] };
  const fixture = await startChain(t, { moreGvgs: [short], stakedBytesPerGvg: 150 });
  const { user, sp } = fixture;
  const primary = sp(1, 'seal');
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  await user.createObject({ ...OBJECT, objectName: 'too-much' });
  const why = async (
    object: Parameters<typeof sealMessage>[1],
    expected: string,
    changes: Partial<MessageValue<'/greenfield.storage.MsgSealObjectV2'>> = {},
  ) => {
    const message = await sealMessage(fixture, object);
    const changed = { ...message, value: { ...message.value, ...changes } } as Message;
    const text = await refuses(t, primary, changed, expected);
    return text.replace(/^.*message index: 0: | \([^()]*\)\.$/g, '');
  };

  t.is(
    await why({ ...NAMES, gvgId: 8 }, 'storage 1123'),
    'secondary sp num mismatch, expect (6), but (5): invalid global virtual group',
  );
  t.is(
    await why({ ...NAMES, gvgId: 2 }, 'storage 1123'),
    'Global virtual group mismatch, familyID: 2, bucket family ID: 1: invalid global virtual group',
  );
  t.is(
    await why(NAMES, 'virtualgroup 1102', { globalVirtualGroupId: 99 }),
    'global virtual group not exist.',
  );
  t.is(
    await why({ ...NAMES, checksums: [...CHECKSUMS].reverse() }, 'greenfield 1013'),
    'aggregated signature verification failed: bls signature is invalid',
  );
  t.is(
    await why(NAMES, 'greenfield 1013', { secondarySpBlsAggSignatures: '00'.repeat(96) }),
    'BLS signature conversion failed: could not unmarshal bytes into signature: bls signature is invalid',
  );
  await seal(fixture, NAMES);
  t.regex(
    await why({ ...NAMES, objectName: 'too-much' }, 'storage 1123'),
    /^err message: gvg state: id:1 family_id:1 primary_sp_id:1 secondary_sp_ids:2 .*stored_size:100 total_deposit:"2400000" : insufficient staking for gvg: invalid global virtual group$/,
  );
});

test('an update without checksums on chain takes those of the seal', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, sp } = fixture;
  const operator = sp(1, 'operator');
  const shape = { bucketName: 'bucket', objectName: 'o', contentType: '', expectChecksums: [] };
  await createBucket(fixture, 'bucket');
  // Created empty by its SP: sealed at once, without checksums.
  await operator.send({
    typeUrl: '/greenfield.storage.MsgDelegateCreateObject',
    value: {
      ...shape,
      operator: operator.address,
      creator: user.address,
      payloadSize: 0n,
      visibility: 'PRIVATE',
      redundancyType: 'EC',
    },
  });
  await user.updateObject(OBJECT);
  const v2 = await sealMessage(fixture, NAMES);
  const { expectChecksums: _, ...v1 } = v2.value as MessageValue<'/greenfield.storage.MsgSealObjectV2'>;
  const bare: Message = { typeUrl: '/greenfield.storage.MsgSealObject', value: v1 };
  t.regex(await refuses(t, sp(1, 'seal'), bare, 'storage 1130'), /Object checksums is missing/);
  await sp(1, 'seal').send(v2);
  const sealed = await chain.object('bucket', 'o');
  t.like(sealed?.object, { version: 1, payloadSize: 100, status: 'SEALED' });
  t.deepEqual(sealed?.object.checksums, CHECKSUMS);
});
