import type { Statement } from '#protocols/greenfield/access-messages';
import { isAddress } from '#protocols/greenfield/address';
import type { Message, MessageValue } from '#protocols/greenfield/messages';
import { Errors, Refusal } from '../refusal.ts';
import type { ResourceType } from './access-state.ts';
import { parseResourceName } from './resource-name.ts';

/** The chain's limits for the contents of messages. */
const MAX_EXTRA = 512;
const MAX_MEMBERS = 20;
const MAX_TAGS = 4;
const MAX_TAG_KEY = 32;
const MAX_TAG_VALUE = 64;
const MAX_REASON = 128;
const MAX_DISCONTINUED = 128;

const OBJECT_ACTIONS: readonly string[] = [
  'UPDATE_OBJECT_INFO',
  'CREATE_OBJECT',
  'DELETE_OBJECT',
  'GET_OBJECT',
  'COPY_OBJECT',
  'EXECUTE_OBJECT',
  'LIST_OBJECT',
  'UPDATE_OBJECT_CONTENT',
  'ALL',
];
const ACTIONS: Readonly<Record<ResourceType, readonly string[]>> = {
  BUCKET: ['UPDATE_BUCKET_INFO', 'DELETE_BUCKET', ...OBJECT_ACTIONS],
  OBJECT: OBJECT_ACTIONS,
  GROUP: ['UPDATE_GROUP_MEMBER', 'UPDATE_GROUP_EXTRA', 'DELETE_GROUP', 'UPDATE_GROUP_INFO', 'ALL'],
};

/** Makes the stateless checks of messages about policies, groups, tags and the status of an SP. @throws Refusal */
export function validateAccessMessage({ typeUrl, value }: Message): void {
  switch (typeUrl) {
    case '/greenfield.storage.MsgPutPolicy':
      validatePolicy(value);
      break;
    case '/greenfield.storage.MsgDeletePolicy':
      validatePrincipal(value.principal, nameOf(value.resource, false));
      break;
    case '/greenfield.storage.MsgCreateGroup':
      checkGroupName(value.groupName);
      checkExtra(value.extra);
      break;
    case '/greenfield.storage.MsgDeleteGroup':
      checkGroupName(value.groupName);
      break;
    case '/greenfield.storage.MsgLeaveGroup':
      checkAddress('member', value.member);
      checkAddress('group owner', value.groupOwner);
      checkGroupName(value.groupName);
      break;
    case '/greenfield.storage.MsgUpdateGroupMember':
      validateMembers(value);
      break;
    case '/greenfield.storage.MsgSetTag':
      validateTags(value);
      break;
    case '/greenfield.storage.MsgDiscontinueObject':
      if (value.objectIds.length === 0 || value.objectIds.length > MAX_DISCONTINUED) {
        throw new Refusal(Errors.INVALID_OBJECT_IDS, `length of ids is ${value.objectIds.length}`);
      }
      checkReason(value.reason);
      break;
    case '/greenfield.storage.MsgDiscontinueBucket':
      checkReason(value.reason);
      break;
    case '/greenfield.sp.MsgUpdateStorageProviderStatus':
      validateStatus(value);
      break;
  }
}

/** @throws Refusal */
export function checkAddress(role: string, address: string): void {
  if (!isAddress(address)) throw new Refusal(Errors.INVALID_ADDRESS, `invalid ${role} address (${address})`);
}

function validatePolicy(message: MessageValue<'/greenfield.storage.MsgPutPolicy'>): void {
  const type = nameOf(message.resource, true);
  validatePrincipal(message.principal, type);
  const { type: principal = 'UNSPECIFIED', value = '' } = message.principal ?? {};
  if (principal === 'UNSPECIFIED') {
    throw new Refusal(Errors.INVALID_PERMISSION_PRINCIPAL, 'Not allowed empty principal type.');
  }
  if (principal === 'ACCOUNT' && !isAddress(value)) {
    throw new Refusal(Errors.INVALID_PERMISSION_PRINCIPAL, `Invalid account, principal: ${value}`);
  }
  for (const statement of message.statements) validateStatement(statement, type);
}

function validatePrincipal(
  principal: MessageValue<'/greenfield.storage.MsgPutPolicy'>['principal'],
  type: ResourceType,
): void {
  if (!principal) throw new Refusal(Errors.INVALID_PRINCIPAL, 'principal cannot be empty');
  if (principal.type === 'GROUP' && type === 'GROUP') {
    throw new Refusal(Errors.INVALID_PRINCIPAL, "Not allow grant group's permission to another group");
  }
}

function validateStatement(statement: Statement, type: ResourceType): void {
  const invalid = (why: string) => new Refusal(Errors.INVALID_STATEMENT, why);
  if (statement.effect === 'UNSPECIFIED') {
    throw invalid('Please specify the Effect explicitly. Not allowed set EFFECT_UNSPECIFIED');
  }
  for (const action of statement.actions) {
    if (ACTIONS[type].includes(action)) continue;
    const name = action === 'ALL' ? 'ACTION_TYPE_ALL' : `ACTION_${action}`;
    throw invalid(`${name} not allowed to be used on ${type.toLowerCase()}.`);
  }
  const limitAllowed = type === 'BUCKET' && statement.actions.includes('CREATE_OBJECT');
  if (statement.limitSize && !limitAllowed) {
    throw invalid('The LimitSize option can only be used with CreateObject actions at the bucket level. ');
  }
  if (type !== 'BUCKET' && statement.resources.length > 0) {
    throw invalid('The Resources option can only be used at the bucket level. ');
  }
  for (const resource of statement.resources) {
    try {
      parseResourceName(resource, true);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw invalid(`GRN parse from string failed, err: ${error.message}`);
    }
    try {
      new RegExp(resource, 'u');
    } catch {
      throw invalid(`The Resources regexp compile failed, err: ${resource}`);
    }
  }
}

function validateMembers(message: MessageValue<'/greenfield.storage.MsgUpdateGroupMember'>): void {
  checkAddress('group owner', message.groupOwner);
  checkGroupName(message.groupName);
  if (message.membersToAdd.length + message.membersToDelete.length > MAX_MEMBERS) {
    throw tooLong('Once update group member limit exceeded');
  }
  for (const { member } of message.membersToAdd) checkAddress('member', member);
  for (const member of message.membersToDelete) checkAddress('member', member);
}

function validateTags({ resource, tags }: MessageValue<'/greenfield.storage.MsgSetTag'>): void {
  nameOf(resource, true);
  if ((tags?.tags.length ?? 0) > MAX_TAGS) throw tooLong(`Tags count cannot exceed ${MAX_TAGS}`);
  for (const { key, value } of tags?.tags ?? []) {
    if (Buffer.byteLength(key) > MAX_TAG_KEY) throw tooLong(`Tag key length cannot exceed ${MAX_TAG_KEY}`);
    if (Buffer.byteLength(value) > MAX_TAG_VALUE) {
      throw tooLong(`Tag value length cannot exceed ${MAX_TAG_VALUE}`);
    }
  }
}

function validateStatus(message: MessageValue<'/greenfield.sp.MsgUpdateStorageProviderStatus'>): void {
  checkAddress('operator', message.spAddress);
  if (message.status !== 'IN_SERVICE' && message.status !== 'IN_MAINTENANCE') {
    throw new Refusal(Errors.INVALID_REQUEST, `not allowed to update to status STATUS_${message.status}`);
  }
  if (message.status === 'IN_MAINTENANCE' && message.duration <= 0n) {
    throw new Refusal(
      Errors.INVALID_REQUEST,
      'maintenance duration need to be set for STATUS_IN_MAINTENANCE',
    );
  }
}

function nameOf(resource: string, wildcards: boolean): ResourceType {
  try {
    return parseResourceName(resource, wildcards).type;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(Errors.INVALID_GRN, `invalid greenfield resource name (${error.message})`);
  }
}

function checkGroupName(name: string): void {
  const why = groupNameFault(name);
  if (why !== undefined) throw new Refusal(Errors.INVALID_GROUP_NAME, why);
}

function groupNameFault(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  if (name.trim() === '') return 'Group name cannot be empty';
  if (bytes < 3) return 'Group name cannot be shorter than 3 bytes';
  if (bytes > 63) return 'Group name cannot be longer than 63 bytes';
  return undefined;
}

function checkExtra(extra: string): void {
  const bytes = Buffer.byteLength(extra);
  if (bytes > MAX_EXTRA) throw tooLong(`extra is too long with length ${bytes}, limit to ${MAX_EXTRA}`);
}

function checkReason(reason: string): void {
  const bytes = Buffer.byteLength(reason);
  if (bytes <= MAX_REASON) return;
  throw new Refusal(Errors.INVALID_REASON, `reason is too long with length ${bytes}`);
}

function tooLong(why: string): Refusal {
  return new Refusal(Errors.INVALID_PARAMETER, why);
}
