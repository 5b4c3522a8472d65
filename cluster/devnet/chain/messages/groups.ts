import { ActionType } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import { MsgCreateGroupResponse } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import { allowedOnGroup } from '../permission.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { Context, MessageResponse } from './context.ts';

/** @throws Refusal */
export function createGroup(
  { state, emit }: Context,
  { creator, groupName, extra }: MessageValue<'/greenfield.storage.MsgCreateGroup'>,
): MessageResponse {
  const owner = checksumAddress(creator);
  if (state.access.group(owner, groupName)) throw new Refusal(Errors.GROUP_EXISTS);
  const id = state.nextId('group');
  state.access.putGroup({ id, owner, groupName, extra });
  emit(StorageEvent.CREATE_GROUP, {
    owner,
    group_name: groupName,
    group_id: id,
    source_type: 'SOURCE_TYPE_ORIGIN',
    extra,
  });
  const value = MsgCreateGroupResponse.encode({ groupId: id }).finish();
  return { typeUrl: '/greenfield.storage.MsgCreateGroupResponse', value };
}

/** Deletes a group of the operator, with its members. @throws Refusal */
export function deleteGroup(
  { state, emit }: Context,
  message: MessageValue<'/greenfield.storage.MsgDeleteGroup'>,
): MessageResponse {
  const group = state.access.group(checksumAddress(message.operator), message.groupName);
  if (!group) throw new Refusal(Errors.NO_SUCH_GROUP);
  state.access.deleteGroup(group);
  emit(StorageEvent.DELETE_GROUP, {
    owner: group.owner,
    group_name: group.groupName,
    group_id: group.id,
  });
  return { typeUrl: '/greenfield.storage.MsgDeleteGroupResponse', value: new Uint8Array() };
}

/** @throws Refusal */
export function leaveGroup(
  { state, emit }: Context,
  message: MessageValue<'/greenfield.storage.MsgLeaveGroup'>,
): MessageResponse {
  const member = checksumAddress(message.member);
  const group = state.access.group(checksumAddress(message.groupOwner), message.groupName);
  if (!group) throw new Refusal(Errors.NO_SUCH_GROUP);
  if (!state.access.member(group.id, member)) throw new Refusal(Errors.NO_SUCH_MEMBER);
  state.access.deleteMember(group.id, member);
  emit(StorageEvent.LEAVE_GROUP, {
    member_address: member,
    owner: group.owner,
    group_name: group.groupName,
    group_id: group.id,
  });
  return { typeUrl: '/greenfield.storage.MsgLeaveGroupResponse', value: new Uint8Array() };
}

/** Adds members and removes others. @throws Refusal */
export function updateGroupMember(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgUpdateGroupMember'>,
): MessageResponse {
  const { state, emit } = context;
  const { access } = state;
  const operator = checksumAddress(message.operator);
  const group = access.group(checksumAddress(message.groupOwner), message.groupName);
  if (!group) throw new Refusal(Errors.NO_SUCH_GROUP);
  if (!allowedOnGroup(context, operator, group, ActionType.ACTION_UPDATE_GROUP_MEMBER)) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The operator(${operator}) has no UpdateGroupMember permission of the group(${group.groupName}), operator(${group.owner})`,
    );
  }
  for (const { member, expirationTime } of message.membersToAdd) {
    const account = checksumAddress(member);
    if (access.member(group.id, account)) throw new Refusal(Errors.MEMBER_EXISTS);
    access.putMember(group.id, account, expirationTime);
  }
  for (const member of message.membersToDelete) {
    const account = checksumAddress(member);
    if (!access.member(group.id, account)) throw new Refusal(Errors.NO_SUCH_MEMBER);
    access.deleteMember(group.id, account);
  }
  emit(StorageEvent.UPDATE_GROUP_MEMBER, {
    operator,
    owner: group.owner,
    group_name: group.groupName,
    group_id: group.id,
    members_to_add: message.membersToAdd.map(({ member, expirationTime }) => ({
      member,
      expiration_time: expirationTime === undefined ? null : new Date(expirationTime).toISOString(),
    })),
    members_to_delete: message.membersToDelete,
  });
  return { typeUrl: '/greenfield.storage.MsgUpdateGroupMemberResponse', value: new Uint8Array() };
}
