import test from 'ava';
import type { Message } from '#protocols/greenfield/messages';
import { CHECKSUMS, createBucket, eventsOf, refuses, reject, seal, startChain } from './testing.ts';

const NAMES = { bucketName: 'bucket', objectName: 'o' };
const OBJECT = { ...NAMES, payloadSize: 1000, checksums: CHECKSUMS };
const OTHER = [...CHECKSUMS].reverse();

test('a deleted object is gone and no longer counts in the stored size', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, rpc } = fixture;
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  await user.createObject({ ...OBJECT, objectName: 'other' });
  await seal(fixture, NAMES);
  await seal(fixture, { ...NAMES, objectName: 'other' });
  t.is((await chain.gvg(1))?.storedSize, 2000);

  const { hash } = await user.send({
    typeUrl: '/greenfield.storage.MsgDeleteObject',
    value: { operator: user.address, ...NAMES },
  });
  t.deepEqual(await eventsOf(rpc, hash), [
    {
      type: 'greenfield.storage.EventDeleteObject',
      operator: user.address,
      bucket_name: 'bucket',
      object_name: 'o',
      object_id: '1',
      local_virtual_group_id: 1,
    },
  ]);
  t.is(await chain.object('bucket', 'o'), undefined);
  t.is(await chain.objectById('1'), undefined);
  t.is((await chain.gvg(1))?.storedSize, 1000);
  t.is(await user.createObject(OBJECT), '3');
});

test('deleting an object that waits for its seal cancels it', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, rpc } = fixture;
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  const { hash } = await user.send({
    typeUrl: '/greenfield.storage.MsgDeleteObject',
    value: { operator: user.address, ...NAMES },
  });
  t.deepEqual(
    (await eventsOf(rpc, hash)).map(({ type }) => type),
    ['greenfield.storage.EventCancelCreateObject'],
  );
  t.is(await chain.objectById('1'), undefined);
});

test('an object is deleted together with its pending update', async (t) => {
  const fixture = await startChain(t);
  const { chain, user } = fixture;
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  await seal(fixture, NAMES);
  await user.updateObject({ ...OBJECT, payloadSize: 5 });
  await user.deleteObject('bucket', 'o');
  t.is(await chain.object('bucket', 'o'), undefined);
  t.is((await chain.gvg(1))?.storedSize, 0);
  await user.deleteBucket('bucket');
  t.is(await chain.bucket('bucket'), undefined);
});

test('only an empty bucket can be deleted, and its name is free again', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, rpc } = fixture;
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  const deletion: Message = {
    typeUrl: '/greenfield.storage.MsgDeleteBucket',
    value: { operator: user.address, bucketName: 'bucket' },
  };
  t.regex(await refuses(t, user, deletion, 'storage 1109'), /Bucket is not empty/);
  await seal(fixture, NAMES);
  await refuses(t, user, deletion, 'storage 1109');
  await user.deleteObject('bucket', 'o');
  const { hash } = await user.send(deletion);
  t.deepEqual(await eventsOf(rpc, hash), [
    {
      type: 'greenfield.storage.EventDeleteBucket',
      operator: user.address,
      owner: user.address,
      bucket_name: 'bucket',
      bucket_id: '1',
      global_virtual_group_family_id: 1,
    },
  ]);
  t.is(await chain.bucket('bucket'), undefined);
  await refuses(t, user, deletion, 'storage 1100');
  t.is(await createBucket(fixture, 'bucket'), '2');
});

test('only accounts with the permission to delete can delete', async (t) => {
  const fixture = await startChain(t);
  const { user, stranger } = fixture;
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  await seal(fixture, NAMES);
  const value = { operator: stranger.address, ...NAMES };
  const denied = [
    await refuses(t, stranger, { typeUrl: '/greenfield.storage.MsgDeleteObject', value }, 'storage 1107'),
    await refuses(t, stranger, { typeUrl: '/greenfield.storage.MsgDeleteBucket', value }, 'storage 1107'),
  ];
  t.regex(denied[0] ?? '', /has no DeleteObject permission of the bucket\(bucket\), object\(o\)/);
  t.regex(denied[1] ?? '', /has no DeleteBucket permission of the bucket\(bucket\)/);
  const missing = { operator: user.address, bucketName: 'bucket', objectName: 'nothing' };
  await refuses(t, user, { typeUrl: '/greenfield.storage.MsgDeleteObject', value: missing }, 'storage 1101');
});

test('the version number of a cancelled or rejected update is used again', async (t) => {
  const fixture = await startChain(t);
  const { chain, user, stranger, rpc } = fixture;
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  const cancel: Message = {
    typeUrl: '/greenfield.storage.MsgCancelUpdateObjectContent',
    value: { operator: user.address, ...NAMES },
  };
  await refuses(t, user, cancel, 'storage 1128');
  await seal(fixture, NAMES);
  await refuses(t, user, cancel, 'storage 1128');

  await user.updateObject({ ...OBJECT, payloadSize: 5 });
  t.is((await chain.objectById('1'))?.update?.version, 1);
  t.regex(
    await refuses(
      t,
      stranger,
      { ...cancel, value: { operator: stranger.address, ...NAMES } },
      'storage 1107',
    ),
    /Only allowed owner\/updater to do cancel update object/,
  );
  const { hash } = await user.send(cancel);
  t.deepEqual(await eventsOf(rpc, hash), [
    {
      type: 'greenfield.storage.EventCancelUpdateObjectContent',
      operator: user.address,
      bucket_name: 'bucket',
      object_name: 'o',
      object_id: '1',
    },
  ]);
  const calledOff = await chain.objectById('1');
  t.like(calledOff?.object, { isUpdating: false, version: 0, payloadSize: 1000 });
  t.is(calledOff?.update, undefined);

  await user.updateObject({ ...OBJECT, payloadSize: 6 });
  t.like((await chain.objectById('1'))?.update, { version: 1, payloadSize: 6 });
  await reject(fixture, 'bucket', 'o');
  await user.updateObject({ ...OBJECT, payloadSize: 7, checksums: OTHER });
  t.like((await chain.objectById('1'))?.update, { version: 1, payloadSize: 7 });
  await seal(fixture, { ...NAMES, checksums: OTHER });
  t.like((await chain.objectById('1'))?.object, { version: 1, payloadSize: 7, isUpdating: false });
});

test('an update to an empty payload is sealed at once, with the next version', async (t) => {
  const fixture = await startChain(t);
  const { chain, user } = fixture;
  await createBucket(fixture, 'bucket');
  await user.createObject(OBJECT);
  await seal(fixture, NAMES);
  await user.updateObject({ ...OBJECT, payloadSize: 0, checksums: OTHER });
  const empty = await chain.objectById('1');
  t.like(empty?.object, { status: 'SEALED', isUpdating: false, version: 1, payloadSize: 0 });
  t.deepEqual(empty?.object.checksums, OTHER);
  t.is((await chain.gvg(1))?.storedSize, 0);

  // Here the chain continues to charge for the old content, and the bucket can never be deleted.
  await user.deleteObject('bucket', 'o');
  const deletion: Message = {
    typeUrl: '/greenfield.storage.MsgDeleteBucket',
    value: { operator: user.address, bucketName: 'bucket' },
  };
  t.regex(await refuses(t, user, deletion, 'storage 3203'), /non-empty lvg/);
});
