import { Retryable } from '#protocols/errors';
import { Cache } from '#runtime/async/cache';
import { usableGroups } from '#runtime/chain/usable-groups';
import type { GatewayDependencies } from '../dependencies.ts';

/** The chain is queried at most once per this time, ms. */
const CHOICE_TTL_MS = 5_000;

/** The family of this provider that a new bucket should have. */
export type FamilyChoice = (signal: AbortSignal) => Promise<number>;

/**
 * Chooses the family with the most free space in those of its groups that can currently seal an object.
 * @returns a choice that is at most 5 s old; it throws Retryable 500/540001 when no family has such a group, and as
 * `Chain`
 */
export function familyChoice({ chain, spId }: GatewayDependencies): FamilyChoice {
  const load = async () => {
    const [families, providers, params] = await Promise.all([
      chain.families(),
      chain.storageProviders(),
      chain.storageParams(),
    ]);
    const members = params.dataChunks + params.parityChunks;
    let best: { readonly familyId: number; readonly free: number } | undefined;
    for (const { id: familyId } of families.filter(({ primarySpId }) => primarySpId === spId)) {
      const groups = await usableGroups(
        chain,
        providers,
        { familyId, members, bytes: 1 },
        { age: 'seconds' },
      );
      const free = groups.reduce((sum, group) => sum + group.free, 0);
      if (free > (best?.free ?? 0)) best = { familyId, free };
    }
    if (best) return best.familyId;
    throw new Retryable({
      code: 'no-family',
      message: `No virtual group family of storage provider ${spId} has a group with room and all its members in service.`,
      advice: 'Create the bucket with another provider, or try again later.',
      gatewayCode: 540001,
    });
  };
  const choice = new Cache({ ttlMs: CHOICE_TTL_MS, maxEntries: 1, load });
  return (signal) => choice.get('best', signal);
}
