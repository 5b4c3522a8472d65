import {
  MsgDeletePolicyResponse,
  MsgPutPolicyResponse,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import type { Statement } from '#protocols/greenfield/access-messages';
import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import { PermissionEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import type { Policy, StoredStatement } from '../access/access-state.ts';
import { parseResourceName } from '../access/resource-name.ts';
import { resourceOf } from '../access/resources.ts';
import { Limits } from '../limits.ts';
import { Errors, plainRefusal, Refusal } from '../refusal.ts';
import type { StateReader } from '../state-reader.ts';
import type { Context, MessageResponse } from './context.ts';

type Put = MessageValue<'/greenfield.storage.MsgPutPolicy'>;
type Principal = NonNullable<Put['principal']>;

/** The owner of a bucket, object or group grants permissions on it to an account or group. @throws Refusal */
export function putPolicy(context: Context, message: Put): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const name = parseResourceName(message.resource, true);
  checkNotExpired(context, 'policy', message.expirationTime);
  for (const { expirationTime } of message.statements) {
    checkNotExpired(context, 'statement', expirationTime);
  }
  const { owner, id: resourceId } = resourceOf(state, name);
  if (operator !== owner) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `Only resource owner can put policy, operator (${operator}), owner(${owner})`,
    );
  }
  const principal = normalized(state, message.principal);
  checkPrincipal(state, owner, principal);

  const { access } = state;
  const content = { statements: message.statements.map(stored), expirationTime: message.expirationTime };
  let policy: Policy;
  let isNew: boolean;
  if (principal.type === 'ACCOUNT') {
    const before = access.policyForAccount(name.type, resourceId, principal.value);
    isNew = before === undefined;
    policy = { id: before?.id ?? state.nextId('policy'), ...content };
    access.putPolicyForAccount(name.type, resourceId, principal.value, policy);
  } else {
    const others = access.policiesForGroups(name.type, resourceId);
    if (others.length >= Limits.GROUP_POLICIES) {
      throw new Refusal(
        Errors.LIMIT_EXCEEDED,
        `group number limit to ${Limits.GROUP_POLICIES}, actual ${others.length}`,
      );
    }
    const groupId = principal.value;
    const before = others.find((one) => one.groupId === groupId);
    isNew = before === undefined;
    policy = { id: before?.policy.id ?? state.nextId('policy'), ...content };
    const put = { groupId, policy };
    access.putPoliciesForGroups(
      name.type,
      resourceId,
      before ? others.map((one) => (one === before ? put : one)) : [...others, put],
    );
  }
  emit(PermissionEvent.PUT_POLICY, {
    policy_id: policy.id,
    principal: { type: `PRINCIPAL_TYPE_GNFD_${principal.type}`, value: principal.value },
    resource_type: `RESOURCE_TYPE_${name.type}`,
    resource_id: resourceId,
    statements: message.statements.map(statementJson),
    expiration_time: timeJson(message.expirationTime),
  });
  // The chain answers with the id of a new policy only.
  const value = MsgPutPolicyResponse.encode({ policyId: isNew ? policy.id : '0' }).finish();
  return { typeUrl: '/greenfield.storage.MsgPutPolicyResponse', value };
}

/** Succeeds also when the policy does not exist. @throws Refusal */
export function deletePolicy(
  { state, emit }: Context,
  message: MessageValue<'/greenfield.storage.MsgDeletePolicy'>,
): MessageResponse {
  const operator = checksumAddress(message.operator);
  const name = parseResourceName(message.resource, false);
  const { owner, id: resourceId } = resourceOf(state, name);
  if (operator !== owner) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `Only resource owner can delete bucket policy, operator (${operator}), owner(${owner})`,
    );
  }
  const { access } = state;
  const { type, value: principal = '' } = message.principal ?? {};
  let policyId = '0';
  if (type === 'ACCOUNT') {
    const account = checksumAddress(principal);
    policyId = access.policyForAccount(name.type, resourceId, account)?.id ?? policyId;
    access.deletePolicyForAccount(name.type, resourceId, account);
  } else if (type === 'GROUP') {
    if (!/^[0-9]{1,78}$/.test(principal)) {
      throw new Refusal(Errors.INVALID_PERMISSION_PRINCIPAL, `Invalid groupID, principal: ${principal}`);
    }
    const policies = access.policiesForGroups(name.type, resourceId);
    policyId = policies.find(({ groupId }) => groupId === principal)?.policy.id ?? policyId;
    access.putPoliciesForGroups(
      name.type,
      resourceId,
      policies.filter(({ groupId }) => groupId !== principal),
    );
  }
  emit(PermissionEvent.DELETE_POLICY, { policy_id: policyId });
  const value = MsgDeletePolicyResponse.encode({ policyId }).finish();
  return { typeUrl: '/greenfield.storage.MsgDeletePolicyResponse', value };
}

function checkNotExpired({ time }: Context, what: string, expirationTime: number | undefined): void {
  if (expirationTime === undefined || expirationTime >= time * 1000) return;
  throw new Refusal(
    Errors.PERMISSION_EXPIRED,
    `The specified ${what} expiration time is less than the current block time, block time: ${new Date(time * 1000).toISOString()}`,
  );
}

/** Accounts in EIP-55 form, groups by id even if the message has their names. */
function normalized(state: StateReader, principal: Put['principal']): Principal {
  const { type = 'UNSPECIFIED', value = '' } = principal ?? {};
  if (type === 'ACCOUNT') return { type, value: isAddress(value) ? checksumAddress(value) : value };
  if (type !== 'GROUP' || /^[0-9]+$/.test(value)) return { type, value };
  try {
    const name = parseResourceName(value, false);
    const group = name.type === 'GROUP' && state.access.group(name.owner, name.groupName);
    return { type, value: group ? group.id : value };
  } catch (error) {
    if (error instanceof Refusal) return { type, value };
    throw error;
  }
}

function checkPrincipal(state: StateReader, owner: string, { type, value }: Principal): void {
  if (type === 'ACCOUNT') {
    if (value !== owner) return;
    throw new Refusal(Errors.INVALID_PRINCIPAL, 'principal account can not be the bucket owner');
  }
  if (!/^[0-9]{1,78}$/.test(value))
    throw plainRefusal(`strconv.ParseUint: parsing "${value}": invalid syntax`);
  if (!state.access.groupById(value)) throw new Refusal(Errors.NO_SUCH_GROUP);
}

function stored(statement: Statement): StoredStatement {
  return { ...statement, limitSize: statement.limitSize?.value.toString() };
}

function statementJson({ effect, actions, resources, expirationTime, limitSize }: Statement) {
  return {
    effect: `EFFECT_${effect}`,
    actions: actions.map((action) => (action === 'ALL' ? 'ACTION_TYPE_ALL' : `ACTION_${action}`)),
    resources,
    expiration_time: timeJson(expirationTime),
    limit_size: limitSize ? { value: limitSize.value.toString() } : null,
  };
}

function timeJson(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
