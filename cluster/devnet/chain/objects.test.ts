import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { CHECKSUMS, createBucket, startChain } from './testing.ts';

const PAYLOAD = 1000;

test('an object lives from its creation to its seal', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, sp, aggregate } = fixture;
  const bucketId = await createBucket(fixture, 'my-bucket');
  t.is(bucketId, '1');
  const objectId = await user.createObject({
    bucketName: 'my-bucket',
    objectName: 'a/b c.txt',
    payloadSize: PAYLOAD,
    checksums: CHECKSUMS,
    contentType: 'text/plain',
    visibility: 'PUBLIC_READ',
  });
  t.is(objectId, '1');

  const created = await chain.object('my-bucket', 'a/b c.txt');
  t.is(created?.object.status, 'CREATED');
  t.is(created?.gvg, undefined);
  t.like(created?.object, {
    owner: user.address,
    creator: user.address,
    id: '1',
    payloadSize: PAYLOAD,
    visibility: 'PUBLIC_READ',
    contentType: 'text/plain',
    redundancy: 'EC',
    version: 0,
    isUpdating: false,
  });
  t.deepEqual(created?.object.checksums, CHECKSUMS);
  t.true(Math.abs((created?.object.createdAt ?? 0) - Date.now() / 1000) < 60);

  const before = await chain.gvg(1);
  if (!before) return t.fail();
  await sp(1, 'seal').send({
    typeUrl: '/greenfield.storage.MsgSealObject',
    value: {
      operator: sp(1, 'seal').address,
      bucketName: 'my-bucket',
      objectName: 'a/b c.txt',
      globalVirtualGroupId: 1,
      secondarySpBlsAggSignatures: aggregate([2, 3, 4, 5, 6, 7], 1, '1'),
    },
  });
  const sealed = await chain.objectById('1');
  t.is(sealed?.object.status, 'SEALED');
  t.is(sealed?.object.localVirtualGroupId, 1);
  t.is(sealed?.gvg?.id, 1);
  t.deepEqual(sealed?.gvg?.secondarySpIds, [2, 3, 4, 5, 6, 7]);
  t.is(sealed?.gvg?.storedSize, PAYLOAD);
  if (!sealed?.gvg) return t.fail();
  t.is((await chain.freeCapacity(before)) - (await chain.freeCapacity(sealed.gvg)), PAYLOAD);
});

test('an empty object is sealed by its creation', async (t) => {
  const fixture = await startChain(t);
  await createBucket(fixture, 'bucket', 3);
  await fixture.user.createObject({
    bucketName: 'bucket',
    objectName: 'folder/',
    payloadSize: 0,
    checksums: CHECKSUMS,
  });
  const head = await fixture.chain.object('bucket', 'folder/');
  t.is(head?.object.status, 'SEALED');
  t.is(head?.gvg?.id, 3);
});

test('cancelled and rejected objects are gone, and their names are free again', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, sp } = fixture;
  await createBucket(fixture, 'bucket');
  const object = { bucketName: 'bucket', objectName: 'o', payloadSize: PAYLOAD, checksums: CHECKSUMS };
  await user.createObject(object);
  await user.cancelCreateObject('bucket', 'o');
  t.is(await chain.object('bucket', 'o'), undefined);
  t.is(await chain.objectById('1'), undefined);

  t.is(await user.createObject(object), '2');
  await sp(1, 'seal').send({
    typeUrl: '/greenfield.storage.MsgRejectSealObject',
    value: { operator: sp(1, 'seal').address, bucketName: 'bucket', objectName: 'o' },
  });
  t.is(await chain.objectById('2'), undefined);
  t.is(await user.createObject(object), '3');
});

test('the primary creates an object without checksums and seals it with them', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, sp, aggregate } = fixture;
  await createBucket(fixture, 'bucket', 2);
  await sp(2, 'operator').send({
    typeUrl: '/greenfield.storage.MsgDelegateCreateObject',
    value: {
      operator: sp(2, 'operator').address,
      creator: user.address,
      bucketName: 'bucket',
      objectName: 'o',
      payloadSize: BigInt(PAYLOAD),
      contentType: '',
      visibility: 'PRIVATE',
      expectChecksums: [],
      redundancyType: 'EC',
    },
  });
  t.deepEqual((await chain.objectById('1'))?.object.checksums, []);
  await sp(2, 'seal').send({
    typeUrl: '/greenfield.storage.MsgSealObjectV2',
    value: {
      operator: sp(2, 'seal').address,
      bucketName: 'bucket',
      objectName: 'o',
      globalVirtualGroupId: 2,
      secondarySpBlsAggSignatures: aggregate([3, 4, 5, 6, 7, 1], 2, '1'),
      expectChecksums: CHECKSUMS,
    },
  });
  const sealed = await chain.objectById('1');
  t.is(sealed?.object.status, 'SEALED');
  t.deepEqual(sealed?.object.checksums, CHECKSUMS);
});

test('an update waits beside the old content until it is sealed', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, sp, aggregate } = fixture;
  await createBucket(fixture, 'bucket');
  const object = { bucketName: 'bucket', objectName: 'o', checksums: CHECKSUMS };
  const seal = (checksums: readonly string[]) =>
    sp(1, 'seal').send({
      typeUrl: '/greenfield.storage.MsgSealObject',
      value: {
        operator: sp(1, 'seal').address,
        bucketName: 'bucket',
        objectName: 'o',
        globalVirtualGroupId: 1,
        secondarySpBlsAggSignatures: aggregate([2, 3, 4, 5, 6, 7], 1, '1', checksums),
      },
    });
  await user.createObject({ ...object, payloadSize: PAYLOAD });
  await seal(CHECKSUMS);

  const newChecksums = [...CHECKSUMS].reverse();
  await user.updateObject({ ...object, payloadSize: 5, checksums: newChecksums, contentType: 'text/new' });
  const updating = await chain.objectById('1');
  t.like(updating?.object, { status: 'SEALED', isUpdating: true, payloadSize: PAYLOAD, version: 0 });
  t.like(updating?.update, { updater: user.address, payloadSize: 5, version: 1, contentType: 'text/new' });
  t.deepEqual(updating?.update?.checksums, newChecksums);

  await seal(newChecksums);
  const updated = await chain.objectById('1');
  t.like(updated?.object, { status: 'SEALED', isUpdating: false, payloadSize: 5, version: 1 });
  t.is(updated?.update, undefined);
  t.deepEqual(updated?.object.checksums, newChecksums);
  t.is(updated?.gvg?.storedSize, 5);

  await user.updateObject({ ...object, payloadSize: 7 });
  await sp(1, 'seal').send({
    typeUrl: '/greenfield.storage.MsgRejectSealObject',
    value: { operator: sp(1, 'seal').address, bucketName: 'bucket', objectName: 'o' },
  });
  t.like((await chain.objectById('1'))?.object, { status: 'SEALED', isUpdating: false, version: 1 });
});

test('the owner may do everything, others may only read what is public', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, stranger } = fixture;
  await createBucket(fixture, 'bucket');
  const object = { bucketName: 'bucket', payloadSize: PAYLOAD, checksums: CHECKSUMS };
  await Promise.all([
    user.createObject({ ...object, objectName: 'private' }),
    user.createObject({ ...object, objectName: 'public', visibility: 'PUBLIC_READ' }),
  ]);
  t.true(await chain.isAllowed(user.address, 'bucket', '', Action.CREATE_OBJECT));
  t.false(await chain.isAllowed(stranger.address, 'bucket', '', Action.CREATE_OBJECT));
  t.true(await chain.isAllowed(user.address.toLowerCase(), 'bucket', 'private', Action.GET_OBJECT));
  t.false(await chain.isAllowed(stranger.address, 'bucket', 'private', Action.GET_OBJECT));
  t.true(await chain.isAllowed(stranger.address, 'bucket', 'public', Action.GET_OBJECT));
  t.true(await chain.isAllowed('', 'bucket', 'public', Action.GET_OBJECT));
  t.false(await chain.isAllowed(stranger.address, 'bucket', 'public', Action.UPDATE_OBJECT_CONTENT));
  t.false(await chain.isAllowed(user.address, 'no-such-bucket', '', Action.CREATE_OBJECT));
});
