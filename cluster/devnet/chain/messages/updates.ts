import { ActionType } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import { hexToBase64 } from '#protocols/greenfield/hex';
import type { MessageValue } from '#protocols/greenfield/messages';
import type { BucketInfo, ObjectInfo } from '#protocols/greenfield/types';
import { lockStoreFee, unlockUpdateFee } from '../payment/bills.ts';
import { allowedOnObject } from '../permission.ts';
import { Errors, Refusal } from '../refusal.ts';
import { removeFromGroup } from '../virtual-groups.ts';
import type { Context, MessageResponse } from './context.ts';
import { checkBucketStatus, checkChecksumCount, checkDelegate, servesFor, storeEmpty } from './objects.ts';

/** @throws Refusal */
export function updateObjectContent(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgUpdateObjectContent'>,
): MessageResponse {
  checkChecksumCount(context.state, message.expectChecksums);
  const operator = checksumAddress(message.operator);
  update(context, { ...message, operator, updater: operator, delegated: false });
  return { typeUrl: '/greenfield.storage.MsgUpdateObjectContentResponse', value: new Uint8Array() };
}

/** @throws Refusal */
export function delegateUpdateObjectContent(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgDelegateUpdateObjectContent'>,
): MessageResponse {
  const operator = checksumAddress(message.operator);
  const updater = checksumAddress(message.updater);
  update(context, { ...message, operator, updater, delegated: true });
  return { typeUrl: '/greenfield.storage.MsgDelegateUpdateObjectContentResponse', value: new Uint8Array() };
}

/** The owner or the updater cancels an update; the next one gets its version number. @throws Refusal */
export function cancelUpdateObjectContent(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgCancelUpdateObjectContent'>,
): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const bucket = state.bucket(message.bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  const object = state.object(message.bucketName, message.objectName);
  if (!object) throw new Refusal(Errors.NO_SUCH_OBJECT);
  if (!object.isUpdating) throw new Refusal(Errors.OBJECT_NOT_UPDATING);
  const updater = state.pendingUpdate(object.id)?.updater;
  dropUpdate(context, bucket, object);
  if (operator !== object.owner && operator !== updater) {
    throw new Refusal(Errors.ACCESS_DENIED, 'Only allowed owner/updater to do cancel update object');
  }
  emit(StorageEvent.CANCEL_UPDATE_OBJECT_CONTENT, {
    operator,
    bucket_name: bucket.bucketName,
    object_name: object.objectName,
    object_id: object.id,
  });
  return { typeUrl: '/greenfield.storage.MsgCancelUpdateObjectContentResponse', value: new Uint8Array() };
}

/** Undoes the announcement of new content. @throws Refusal when the account that pays is frozen */
export function dropUpdate(context: Context, bucket: BucketInfo, object: ObjectInfo): void {
  const { state } = context;
  const update = state.pendingUpdate(object.id);
  if (update) unlockUpdateFee(context, bucket, object.id, update.payloadSize);
  state.putObject({ ...object, isUpdating: false });
  state.deletePendingUpdate(object.id);
}

interface Update extends MessageValue<'/greenfield.storage.MsgDelegateUpdateObjectContent'> {
  readonly delegated: boolean;
}

/** Adds new content, which is pending until its seal; until then the object keeps the old one. */
function update(context: Context, message: Update): void {
  const { state, time, emit } = context;
  const { operator, updater, bucketName, objectName } = message;
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  checkBucketStatus(bucket);
  const object = state.object(bucketName, objectName);
  if (!object) throw new Refusal(Errors.NO_SUCH_OBJECT);
  if (object.status !== 'SEALED') {
    throw new Refusal(Errors.UPDATE_NOT_ALLOWED, 'The object is not sealed yet');
  }
  if (object.isUpdating) {
    throw new Refusal(Errors.OBJECT_IS_UPDATING, 'The object is already being updated');
  }
  if (!allowedOnObject(context, updater, bucket, object, ActionType.ACTION_UPDATE_OBJECT_CONTENT)) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The updater(${updater}) has no updateObjectContent permission of the bucket(${bucketName}), object(${objectName})`,
    );
  }
  if (message.payloadSize > BigInt(state.params.storage.maxPayloadSize)) {
    throw new Refusal(Errors.OBJECT_TOO_LARGE);
  }
  const sp = state.primarySpOf(bucket);
  if (!servesFor(sp, operator)) {
    throw new Refusal(Errors.NO_SUCH_SP, 'the storage provider is not in service');
  }
  if (message.delegated) checkDelegate(bucket, operator, sp.operatorAddress);

  const content = {
    payloadSize: Number(message.payloadSize),
    contentType: message.contentType,
    checksums: message.expectChecksums,
    updatedAt: time,
    version: object.version + 1,
  };
  if (content.payloadSize === 0) {
    removeFromGroup(context, bucket, object, 'kept');
    const localVirtualGroupId = storeEmpty(context, bucket, objectName);
    state.putObject({ ...object, ...content, updatedBy: updater, localVirtualGroupId });
  } else {
    state.putObject({ ...object, isUpdating: true });
    state.putPendingUpdate(object.id, { ...content, updater });
    lockStoreFee(context, bucket, { ...content, objectName });
  }
  emit(StorageEvent.UPDATE_OBJECT_CONTENT, {
    operator: updater,
    object_id: object.id,
    // The chain leaves these two empty here.
    bucket_name: '',
    object_name: '',
    payload_size: content.payloadSize.toString(),
    checksums: content.checksums.map(hexToBase64),
    version: content.version.toString(),
  });
}
