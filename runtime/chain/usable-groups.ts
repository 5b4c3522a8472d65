import type { GlobalVirtualGroup, StorageProvider } from '#protocols/greenfield/types';
import type { Age, Chain } from './chain.ts';

/** A group that can hold and seal an object. */
export interface UsableGroup {
  readonly group: GlobalVirtualGroup;
  /** Bytes that its stake still covers. */
  readonly free: number;
}

/**
 * The groups of a family with enough room and all members in service, most free stake first.
 * @param needs `members` besides the primary, and `bytes` that must be free
 * @throws as `Chain`
 */
export async function usableGroups(
  chain: Pick<Chain, 'gvgsOfFamily' | 'freeCapacity'>,
  providers: readonly StorageProvider[],
  needs: { readonly familyId: number; readonly members: number; readonly bytes: number },
  options: { readonly age: Age; readonly signal?: AbortSignal },
): Promise<readonly UsableGroup[]> {
  const serving = new Set(providers.filter(({ status }) => status === 'IN_SERVICE').map(({ id }) => id));
  const usable: UsableGroup[] = [];
  for (const group of await chain.gvgsOfFamily(needs.familyId, options)) {
    const whole = group.secondarySpIds.length === needs.members;
    if (!whole || !group.secondarySpIds.every((id) => serving.has(id))) continue;
    const free = await chain.freeCapacity(group, options);
    if (free >= needs.bytes) usable.push({ group, free });
  }
  return usable.sort((a, b) => b.free - a.free);
}
