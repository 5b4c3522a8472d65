import type { Statement } from '#protocols/greenfield/access-messages';
import type { Overlay, Reader } from '../store.ts';

/** Types of resources that have names, tags and policies. */
export type ResourceType = 'BUCKET' | 'OBJECT' | 'GROUP';

export interface Group {
  readonly id: string;
  readonly owner: string;
  readonly groupName: string;
  readonly extra: string;
}

/** The permissions that a resource's owner grants to an account or group. */
export interface Policy {
  readonly id: string;
  readonly statements: readonly StoredStatement[];
  /** Unix ms. */
  readonly expirationTime: number | undefined;
}

/** A statement as stored: JSON has no bigint. */
export type StoredStatement = Omit<Statement, 'limitSize'> & { readonly limitSize: string | undefined };

export interface GroupPolicy {
  readonly groupId: string;
  readonly policy: Policy;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** Groups, policies and tags, read from a committed block or a layer of changes. */
export class AccessReader {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  group(owner: string, groupName: string): Group | undefined {
    const id = this.#reader.get<string>(groupKey(owner, groupName));
    return id === undefined ? undefined : this.groupById(id);
  }

  groupById(id: string): Group | undefined {
    return this.#reader.get(`group/${id}`);
  }

  /** A membership; `expirationTime` is unix ms, or null if it does not end. Undefined if there is none. */
  member(groupId: string, account: string): { readonly expirationTime: number | null } | undefined {
    return this.#reader.get(memberKey(groupId, account));
  }

  policyForAccount(type: ResourceType, resourceId: string, account: string): Policy | undefined {
    return this.#reader.get(accountPolicyKey(type, resourceId, account));
  }

  policiesForGroups(type: ResourceType, resourceId: string): readonly GroupPolicy[] {
    return this.#reader.get<readonly GroupPolicy[]>(groupPoliciesKey(type, resourceId)) ?? [];
  }

  tags(type: ResourceType, resourceId: string): readonly Tag[] | undefined {
    return this.#reader.get(`tags/${type}/${resourceId}`);
  }
}

/** Groups, policies and tags with a layer of changes. */
export class Access extends AccessReader {
  readonly #overlay: Overlay;

  constructor(overlay: Overlay) {
    super(overlay);
    this.#overlay = overlay;
  }

  putGroup(group: Group): void {
    this.#overlay.put(groupKey(group.owner, group.groupName), group.id);
    this.#overlay.put(`group/${group.id}`, group);
  }

  /** Deletes a group, with which its memberships and permissions end. */
  deleteGroup(group: Group): void {
    this.#overlay.delete(groupKey(group.owner, group.groupName));
    this.#overlay.delete(`group/${group.id}`);
  }

  putMember(groupId: string, account: string, expirationTime: number | undefined): void {
    this.#overlay.put(memberKey(groupId, account), { expirationTime: expirationTime ?? null });
  }

  deleteMember(groupId: string, account: string): void {
    this.#overlay.delete(memberKey(groupId, account));
  }

  putPolicyForAccount(type: ResourceType, resourceId: string, account: string, policy: Policy): void {
    this.#overlay.put(accountPolicyKey(type, resourceId, account), policy);
  }

  deletePolicyForAccount(type: ResourceType, resourceId: string, account: string): void {
    this.#overlay.delete(accountPolicyKey(type, resourceId, account));
  }

  putPoliciesForGroups(type: ResourceType, resourceId: string, policies: readonly GroupPolicy[]): void {
    this.#overlay.put(groupPoliciesKey(type, resourceId), policies);
  }

  putTags(type: ResourceType, resourceId: string, tags: readonly Tag[] | undefined): void {
    this.#overlay.put(`tags/${type}/${resourceId}`, tags);
  }
}

const groupKey = (owner: string, groupName: string) => `group-id/${owner}/${groupName}`;
const memberKey = (groupId: string, account: string) => `group-member/${groupId}/${account}`;
const accountPolicyKey = (type: ResourceType, resourceId: string, account: string) =>
  `policy-account/${type}/${resourceId}/${account}`;
const groupPoliciesKey = (type: ResourceType, resourceId: string) => `policy-groups/${type}/${resourceId}`;
