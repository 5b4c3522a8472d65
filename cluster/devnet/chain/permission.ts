import { ActionType } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import type { BucketInfo, ObjectInfo } from '#protocols/greenfield/types';
import type { Group, ResourceType } from './access/access-state.ts';
import { evaluate, type Question, type Verdict } from './access/evaluate.ts';
import { State } from './state.ts';
import type { StateReader } from './state-reader.ts';

/** The actions that everybody may perform on a public object. */
const PUBLIC_OBJECT: readonly ActionType[] = [
  ActionType.ACTION_GET_OBJECT,
  ActionType.ACTION_COPY_OBJECT,
  ActionType.ACTION_EXECUTE_OBJECT,
];
const PUBLIC_BUCKET: readonly ActionType[] = [...PUBLIC_OBJECT, ActionType.ACTION_LIST_OBJECT];

/** Context of a permission check: a transaction or a query. */
export interface Place {
  readonly state: StateReader;
  /** Unix seconds of the block. */
  readonly time: number;
}

/**
 * Checks a permission on a bucket: everybody may read public content, the owner may do everything, others what the
 * bucket's policies allow.
 * @param account EIP-55; empty for an unknown account
 * @param wantedSize size of the object to be created, bytes; counts against a policy's limit
 */
export function allowedOnBucket(
  place: Place,
  account: string,
  bucket: BucketInfo,
  action: ActionType,
  wantedSize?: bigint,
): boolean {
  if (bucket.visibility === 'PUBLIC_READ' && PUBLIC_BUCKET.includes(action)) return true;
  if (account === '') return false;
  if (account === bucket.owner) return true;
  const options = wantedSize === undefined ? {} : { wantedSize };
  return verify(place, 'BUCKET', bucket.id, account, action, options) === 'ALLOW';
}

/** Checks a permission on an object: neither its own nor its bucket's policy may deny it, and one must allow it. */
export function allowedOnObject(
  place: Place,
  account: string,
  bucket: BucketInfo,
  object: ObjectInfo,
  action: ActionType,
): boolean {
  const visibility = object.visibility === 'INHERIT' ? bucket.visibility : object.visibility;
  if (visibility === 'PUBLIC_READ' && PUBLIC_OBJECT.includes(action)) return true;
  if (account === '') return false;
  if (account === object.owner) return true;
  const resource = `grn:o::${object.bucketName}/${object.objectName}`;
  const ofBucket = verify(place, 'BUCKET', bucket.id, account, action, { resource });
  if (ofBucket === 'DENY') return false;
  const ofObject = verify(place, 'OBJECT', object.id, account, action, {});
  return ofObject !== 'DENY' && (ofBucket === 'ALLOW' || ofObject === 'ALLOW');
}

export function allowedOnGroup(place: Place, account: string, group: Group, action: ActionType): boolean {
  return account === group.owner || verify(place, 'GROUP', group.id, account, action, {}) === 'ALLOW';
}

/** The account's own policy decides; if it does not apply, the policies of the account's groups. */
function verify(
  { state, time }: Place,
  type: ResourceType,
  resourceId: string,
  account: string,
  action: ActionType,
  options: Pick<Question, 'resource' | 'wantedSize'>,
): Verdict['effect'] {
  const { access } = state;
  const question = { ...options, action: nameOf(action), time };
  const own = access.policyForAccount(type, resourceId, account);
  const verdict: Verdict = own ? evaluate(own, question) : { effect: 'UNSPECIFIED' };
  if (verdict.effect !== 'UNSPECIFIED') {
    // A transaction uses up bytes of the limit; a query changes nothing.
    if (verdict.changed && state instanceof State) {
      state.access.putPolicyForAccount(type, resourceId, account, verdict.changed);
    }
    return verdict.effect;
  }

  const policies = access.policiesForGroups(type, resourceId);
  let allowing: { readonly groupId: string; readonly verdict: Verdict } | undefined;
  for (const { groupId, policy } of policies) {
    if (!access.groupById(groupId)) continue;
    const said = evaluate(policy, question);
    const member = said.effect === 'UNSPECIFIED' ? undefined : access.member(groupId, account);
    if (!member || (member.expirationTime !== null && member.expirationTime <= time * 1000)) continue;
    if (said.effect === 'DENY') return 'DENY';
    allowing = { groupId, verdict: said };
  }
  if (!allowing) return 'UNSPECIFIED';
  const { changed } = allowing.verdict;
  if (changed && state instanceof State) {
    const { groupId } = allowing;
    state.access.putPoliciesForGroups(
      type,
      resourceId,
      policies.map((one) => (one.groupId === groupId ? { groupId, policy: changed } : one)),
    );
  }
  return 'ALLOW';
}

function nameOf(action: ActionType): string {
  return action === ActionType.ACTION_TYPE_ALL ? 'ALL' : (ActionType[action] ?? '').replace(/^ACTION_/, '');
}
