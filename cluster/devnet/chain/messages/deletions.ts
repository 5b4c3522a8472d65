import { ActionType } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import { changeReadQuota } from '../payment/bills.ts';
import { allowedOnBucket, allowedOnObject } from '../permission.ts';
import { Errors, Refusal, refusedAs } from '../refusal.ts';
import { removeFromGroup } from '../virtual-groups.ts';
import type { Context, MessageResponse } from './context.ts';
import { cancelCreateObject } from './objects.ts';
import { dropUpdate } from './updates.ts';

/** Deletes an empty bucket. @throws Refusal */
export function deleteBucket(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgDeleteBucket'>,
): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const { bucketName } = message;
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  if (!allowedOnBucket(context, operator, bucket, ActionType.ACTION_DELETE_BUCKET)) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The operator(${operator}) has no DeleteBucket permission of the bucket(${bucketName})`,
    );
  }
  if (state.objectCount(bucketName) > 0) throw new Refusal(Errors.BUCKET_NOT_EMPTY);
  for (const { id, storedSize, chargedSize } of state.localGroups(bucket.id)) {
    if (storedSize !== 0 || chargedSize !== 0) {
      throw new Refusal(Errors.VIRTUAL_GROUP_FAILED, `non-empty lvg, id:${id}`);
    }
  }
  if (bucket.chargedReadQuota > 0) {
    refusedAs(Errors.CHARGE_FAILED, 'cancel charge bucket read fee error', () =>
      changeReadQuota(context, bucket, bucket.chargedReadQuota, 0),
    );
  }
  state.deleteBucket(bucket);
  emit(StorageEvent.DELETE_BUCKET, {
    operator,
    owner: bucket.owner,
    bucket_name: bucketName,
    bucket_id: bucket.id,
    global_virtual_group_family_id: bucket.familyId,
  });
  return { typeUrl: '/greenfield.storage.MsgDeleteBucketResponse', value: new Uint8Array() };
}

/** Deletes a sealed object and its pending update; an unsealed object must be cancelled instead. @throws Refusal */
export function deleteObject(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgDeleteObject'>,
): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const { bucketName, objectName } = message;
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  const object = state.object(bucketName, objectName);
  if (!object) throw new Refusal(Errors.NO_SUCH_OBJECT);
  if (object.status === 'DISCONTINUED') {
    throw new Refusal(
      Errors.INVALID_OBJECT_STATUS,
      // The chain's own spelling.
      `The object ${objectName} is discontined, will be deleted automatically`,
    );
  }
  const typeUrl = '/greenfield.storage.MsgDeleteObjectResponse';
  if (object.status === 'CREATED') return { ...cancelCreateObject(context, message), typeUrl };
  if (!allowedOnObject(context, operator, bucket, object, ActionType.ACTION_DELETE_OBJECT)) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The operator(${operator}) has no DeleteObject permission of the bucket(${bucketName}), object(${objectName})`,
    );
  }
  if (object.isUpdating) dropUpdate(context, bucket, object);
  removeFromGroup(context, bucket, object);
  state.deleteObject(object);
  emit(StorageEvent.DELETE_OBJECT, {
    operator,
    bucket_name: bucketName,
    object_name: objectName,
    object_id: object.id,
    local_virtual_group_id: object.localVirtualGroupId,
  });
  return { typeUrl, value: new Uint8Array() };
}
