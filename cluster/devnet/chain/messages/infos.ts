import { ActionType } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import { parseResourceName, type ResourceName, resourceNameText } from '../access/resource-name.ts';
import { resourceOf } from '../access/resources.ts';
import { allowedOnBucket, allowedOnGroup, allowedOnObject } from '../permission.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { Context, MessageResponse } from './context.ts';

/** Changes the visibility of an object. @throws Refusal */
export function updateObjectInfo(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgUpdateObjectInfo'>,
): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const { bucketName, objectName, visibility } = message;
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  const object = state.object(bucketName, objectName);
  if (!object) throw new Refusal(Errors.NO_SUCH_OBJECT);
  if (!allowedOnObject(context, operator, bucket, object, ActionType.ACTION_UPDATE_OBJECT_INFO)) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The operator(${operator}) has no UpdateObjectInfo permission of the bucket(${bucketName}), object(${objectName})`,
    );
  }
  state.putObject({ ...object, visibility });
  emit(StorageEvent.UPDATE_OBJECT_INFO, {
    operator,
    bucket_name: bucketName,
    object_name: objectName,
    object_id: object.id,
    visibility: `VISIBILITY_TYPE_${visibility}`,
  });
  return { typeUrl: '/greenfield.storage.MsgUpdateObjectInfoResponse', value: new Uint8Array() };
}

/** The owner forbids or allows the bucket's SP to create objects for users. @throws Refusal */
export function toggleDelegatedAgent(
  { state, emit }: Context,
  message: MessageValue<'/greenfield.storage.MsgToggleSPAsDelegatedAgent'>,
): MessageResponse {
  const bucket = state.bucket(message.bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  // The chain compares the texts.
  if (message.operator !== bucket.owner) {
    throw new Refusal(Errors.ACCESS_DENIED, `Only the bucket owner(${bucket.owner}) can toggle`);
  }
  const delegatedAgentDisabled = !bucket.delegatedAgentDisabled;
  state.putBucket({ ...bucket, delegatedAgentDisabled });
  emit(StorageEvent.TOGGLE_DELEGATED_AGENT, {
    bucket_name: bucket.bucketName,
    bucket_id: bucket.id,
    sp_as_delegated_agent_disabled: delegatedAgentDisabled,
  });
  return { typeUrl: '/greenfield.storage.MsgToggleSPAsDelegatedAgentResponse', value: new Uint8Array() };
}

/** Replaces the tags of a bucket, object or group. @throws Refusal */
export function setTag(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgSetTag'>,
): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const name = parseResourceName(message.resource, false);
  const { id } = resourceOf(state, name);
  checkMayTag(context, operator, name);
  state.access.putTags(name.type, id, message.tags?.tags);
  const tags = message.tags ? { tags: message.tags.tags.map(({ key, value }) => ({ key, value })) } : null;
  emit(StorageEvent.SET_TAG, { resource: resourceNameText(name), tags });
  return { typeUrl: '/greenfield.storage.MsgSetTagResponse', value: new Uint8Array() };
}

function checkMayTag(context: Context, operator: string, name: ResourceName): void {
  const { state } = context;
  const deny = (what: string, of: string) => {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The operator(${operator}) has no ${what} permission of the ${of}`,
    );
  };
  if (name.type === 'GROUP') {
    const group = state.access.group(name.owner, name.groupName);
    if (group && !allowedOnGroup(context, operator, group, ActionType.ACTION_UPDATE_GROUP_INFO)) {
      deny('updateGroupInfo', `group(${group.groupName}), owner(${group.owner})`);
    }
    return;
  }
  const bucket = state.bucket(name.bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET, `bucketName: ${name.bucketName}`);
  if (name.type === 'BUCKET') {
    if (!allowedOnBucket(context, operator, bucket, ActionType.ACTION_UPDATE_BUCKET_INFO)) {
      deny('updateBucketInfo', `bucket(${bucket.bucketName})`);
    }
    return;
  }
  const object = state.object(name.bucketName, name.objectName);
  if (object && !allowedOnObject(context, operator, bucket, object, ActionType.ACTION_UPDATE_OBJECT_INFO)) {
    deny('updateObjectInfo', `bucket(${bucket.bucketName}), object(${object.objectName})`);
  }
}
