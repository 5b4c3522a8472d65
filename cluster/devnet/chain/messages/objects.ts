import { ActionType } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import {
  MsgCreateObjectResponse,
  MsgDelegateCreateObjectResponse,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import { hexToBase64 } from '#protocols/greenfield/hex';
import type { MessageValue } from '#protocols/greenfield/messages';
import type { BucketInfo, Hex, ObjectInfo, StorageProvider } from '#protocols/greenfield/types';
import { lockStoreFee, unlockStoreFee } from '../payment/bills.ts';
import { allowedOnBucket, allowedOnObject } from '../permission.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { State } from '../state.ts';
import { storeInGroup } from '../virtual-groups.ts';
import type { Context, MessageResponse } from './context.ts';

/** @throws Refusal */
export function createObject(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgCreateObject'>,
): MessageResponse {
  checkChecksumCount(context.state, message.expectChecksums);
  const creator = checksumAddress(message.creator);
  const objectId = create(context, { ...message, operator: creator, creator, delegated: false });
  const value = MsgCreateObjectResponse.encode({ objectId }).finish();
  return { typeUrl: '/greenfield.storage.MsgCreateObjectResponse', value };
}

/** The primary SP creates an object for a user; the checksums may follow with the seal. @throws Refusal */
export function delegateCreateObject(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgDelegateCreateObject'>,
): MessageResponse {
  const operator = checksumAddress(message.operator);
  const creator = checksumAddress(message.creator);
  const objectId = create(context, { ...message, operator, creator, delegated: true });
  const value = MsgDelegateCreateObjectResponse.encode({ objectId }).finish();
  return { typeUrl: '/greenfield.storage.MsgDelegateCreateObjectResponse', value };
}

/** @throws Refusal */
export function cancelCreateObject(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgCancelCreateObject'>,
): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const bucket = state.bucket(message.bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  const object = state.object(message.bucketName, message.objectName);
  if (!object) throw new Refusal(Errors.NO_SUCH_OBJECT);
  const sp = state.primarySpOf(bucket);
  if (object.status !== 'CREATED') {
    throw new Refusal(Errors.OBJECT_NOT_CREATED, `Object status: OBJECT_STATUS_${object.status}`);
  }
  if (
    !allowedOnObject(context, operator, bucket, object, ActionType.ACTION_DELETE_OBJECT) &&
    operator !== object.creator
  ) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The operator(${operator}) has no DeleteObject permission of the bucket(${bucket.bucketName}), object(${object.objectName})`,
    );
  }
  unlockStoreFee(context, bucket, object);
  state.deleteObject(object);
  emit(StorageEvent.CANCEL_CREATE_OBJECT, {
    operator,
    bucket_name: bucket.bucketName,
    object_name: object.objectName,
    primary_sp_id: sp.id,
    object_id: object.id,
  });
  return { typeUrl: '/greenfield.storage.MsgCancelCreateObjectResponse', value: new Uint8Array() };
}

/** @throws Refusal unless there is one checksum for the primary and one for each secondary */
export function checkChecksumCount(state: State, checksums: readonly Hex[]): void {
  const { dataChunks, parityChunks } = state.params.storage;
  const expected = 1 + dataChunks + parityChunks;
  if (checksums.length === expected) return;
  throw new Refusal(
    Errors.INVALID_CHECKSUM,
    `ExpectChecksums missing, expect: ${expected}, actual: ${checksums.length}`,
  );
}

/** True when an SP accepts new content: in service from everybody, in maintenance from its maintenance account. */
export function servesFor(sp: StorageProvider, account: string): boolean {
  return sp.status === 'IN_SERVICE' || (sp.status === 'IN_MAINTENANCE' && account === sp.maintenanceAddress);
}

/** @throws Refusal for a bucket that is being discontinued or migrated */
export function checkBucketStatus(bucket: BucketInfo): void {
  if (bucket.status === 'DISCONTINUED') throw new Refusal(Errors.BUCKET_DISCONTINUED);
  if (bucket.status === 'MIGRATING') throw new Refusal(Errors.BUCKET_MIGRATING);
}

interface Creation
  extends Pick<
    MessageValue<'/greenfield.storage.MsgDelegateCreateObject'>,
    | 'operator'
    | 'creator'
    | 'bucketName'
    | 'objectName'
    | 'payloadSize'
    | 'contentType'
    | 'visibility'
    | 'expectChecksums'
    | 'redundancyType'
  > {
  readonly delegated: boolean;
}

function create(context: Context, creation: Creation): string {
  const { state, time, emit } = context;
  const { operator, creator, bucketName, objectName, delegated } = creation;
  if (creation.payloadSize > BigInt(state.params.storage.maxPayloadSize)) {
    throw new Refusal(Errors.OBJECT_TOO_LARGE);
  }
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  checkBucketStatus(bucket);
  const sp = state.primarySpOf(bucket);
  if (delegated) checkDelegate(bucket, operator, sp.operatorAddress);
  if (!allowedOnBucket(context, creator, bucket, ActionType.ACTION_CREATE_OBJECT, creation.payloadSize)) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The creator(${operator}) has no CreateObject permission of the bucket(${bucketName})`,
    );
  }
  if (!servesFor(sp, operator)) throw new Refusal(Errors.SP_NOT_IN_SERVICE);
  if (state.object(bucketName, objectName)) throw new Refusal(Errors.OBJECT_EXISTS);

  const payloadSize = Number(creation.payloadSize);
  const object: ObjectInfo = {
    owner: bucket.owner,
    creator,
    bucketName,
    objectName,
    id: state.nextId('object'),
    // An empty object has nothing to upload: it is sealed at once, in the first group of the family.
    localVirtualGroupId: payloadSize === 0 ? storeEmpty(context, bucket, objectName) : 0,
    payloadSize,
    visibility: creation.visibility,
    contentType: creation.contentType,
    createdAt: time,
    status: payloadSize === 0 ? 'SEALED' : 'CREATED',
    redundancy: creation.redundancyType,
    checksums: creation.expectChecksums,
    isUpdating: false,
    updatedAt: 0,
    updatedBy: '',
    version: 0,
  };
  if (payloadSize > 0) lockStoreFee(context, bucket, object);
  state.putObject(object);
  emit(StorageEvent.CREATE_OBJECT, {
    creator,
    owner: object.owner,
    bucket_name: bucketName,
    object_name: objectName,
    bucket_id: bucket.id,
    object_id: object.id,
    primary_sp_id: sp.id,
    payload_size: payloadSize.toString(),
    visibility: `VISIBILITY_TYPE_${object.visibility}`,
    content_type: object.contentType,
    create_at: time.toString(),
    status: `OBJECT_STATUS_${object.status}`,
    redundancy_type: `REDUNDANCY_${object.redundancy}_TYPE`,
    source_type: 'SOURCE_TYPE_ORIGIN',
    checksums: object.checksums.map(hexToBase64),
    local_virtual_group_id: object.localVirtualGroupId,
  });
  return object.id;
}

/** @throws Refusal unless the operator is the primary SP and the owner allows it to act for users */
export function checkDelegate(bucket: BucketInfo, operator: string, primaryOperator: string): void {
  if (bucket.delegatedAgentDisabled) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      'the SP is not allowed to create object for delegator, disabled by the bucket owner previously',
    );
  }
  if (operator !== primaryOperator) {
    throw new Refusal(Errors.ACCESS_DENIED, 'only the primary SP is allowed to create object for delegator');
  }
}

/** @returns the local group of an empty object. @throws Refusal */
export function storeEmpty(context: Context, bucket: BucketInfo, objectName: string): number {
  const gvgId = context.state.family(bucket.familyId)?.gvgIds[0];
  if (gvgId === undefined) throw new Refusal(Errors.NO_SUCH_GVG, 'The gvg family has no gvg');
  return storeInGroup(context, bucket, gvgId, { objectName, payloadSize: 0 });
}
