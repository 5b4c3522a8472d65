import { PickVGFStrategy } from '@bnb-chain/greenfield-cosmos-types/greenfield/virtualgroup/common.js';
import * as virtualgroup from '@bnb-chain/greenfield-cosmos-types/greenfield/virtualgroup/query.js';
import type { GlobalVirtualGroupFamily } from '#protocols/greenfield/types';
import { fromFamily, fromGvg, fromVirtualGroupParams } from '../encode.ts';
import { Limits } from '../limits.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { StateReader } from '../state-reader.ts';
import { stakedBytes } from '../virtual-groups.ts';
import { page, type QueryHandler, query } from './query.ts';

/** The virtualgroup module's queries (protocols/greenfield/README.md#rpc-of-a-node). */
export const virtualGroupQueries: Readonly<Record<string, QueryHandler>> = {
  Params: query(virtualgroup.QueryParamsRequest, virtualgroup.QueryParamsResponse, ({ committed }) => ({
    params: fromVirtualGroupParams(committed.params),
  })),
  GlobalVirtualGroup: query(
    virtualgroup.QueryGlobalVirtualGroupRequest,
    virtualgroup.QueryGlobalVirtualGroupResponse,
    ({ committed }, { globalVirtualGroupId }) => {
      const gvg = committed.gvg(globalVirtualGroupId);
      if (!gvg) throw new Refusal(Errors.NO_SUCH_GVG);
      return { globalVirtualGroup: fromGvg(gvg) };
    },
  ),
  GlobalVirtualGroupByFamilyID: query(
    virtualgroup.QueryGlobalVirtualGroupByFamilyIDRequest,
    virtualgroup.QueryGlobalVirtualGroupByFamilyIDResponse,
    ({ committed }, { globalVirtualGroupFamilyId }) => ({
      globalVirtualGroups: committed.gvgsOf(familyOf(committed, globalVirtualGroupFamilyId)).map(fromGvg),
    }),
  ),
  GlobalVirtualGroupFamily: query(
    virtualgroup.QueryGlobalVirtualGroupFamilyRequest,
    virtualgroup.QueryGlobalVirtualGroupFamilyResponse,
    ({ committed }, { familyId }) => ({
      globalVirtualGroupFamily: fromFamily(familyOf(committed, familyId)),
    }),
  ),
  GlobalVirtualGroupFamilies: query(
    virtualgroup.QueryGlobalVirtualGroupFamiliesRequest,
    virtualgroup.QueryGlobalVirtualGroupFamiliesResponse,
    ({ committed }, { pagination }) => {
      const { items, nextKey } = page(committed.families, pagination);
      return virtualgroup.QueryGlobalVirtualGroupFamiliesResponse.fromPartial({
        gvgFamilies: items.map(fromFamily),
        pagination: { nextKey },
      });
    },
  ),
  QuerySpOptimalGlobalVirtualGroupFamily: query(
    virtualgroup.QuerySpOptimalGlobalVirtualGroupFamilyRequest,
    virtualgroup.QuerySpOptimalGlobalVirtualGroupFamilyResponse,
    ({ committed }, { spId, pickVgfStrategy }) => ({
      globalVirtualGroupFamilyId: pickFamily(committed, spId, pickVgfStrategy),
    }),
  ),
};

function familyOf(state: StateReader, id: number): GlobalVirtualGroupFamily {
  const family = state.family(id);
  if (!family) throw new Refusal(Errors.NO_SUCH_FAMILY);
  return family;
}

/** @returns 0 when no family of the SP is suitable */
function pickFamily(state: StateReader, spId: number, strategy: PickVGFStrategy): number {
  const families = state.families.filter(({ primarySpId }) => primarySpId === spId);
  if (families.length === 0) throw new Refusal(Errors.NO_FAMILY_STATISTICS);
  const byFreeBytes = families
    .map((family) => ({ family, free: freeBytes(state, family) }))
    .sort((a, b) => a.free - b.free);
  switch (strategy) {
    case PickVGFStrategy.Strategy_Maximize_Free_Store_Size:
      return byFreeBytes.findLast(({ free }) => free > 0)?.family.id ?? 0;
    case PickVGFStrategy.Strategy_Minimal_Free_Store_Size:
      return byFreeBytes[0]?.family.id ?? 0;
    case PickVGFStrategy.Strategy_Oldest_Create_Time:
      return families[0]?.id ?? 0;
    case PickVGFStrategy.Strategy_Recentest_Create_Time:
      return families.at(-1)?.id ?? 0;
    default:
      throw new Refusal(Errors.INVALID_REQUEST, 'invalid pick vgf strategy');
  }
}

function freeBytes(state: StateReader, family: GlobalVirtualGroupFamily): number {
  const gvgs = state.gvgsOf(family);
  const staked = gvgs.reduce((sum, gvg) => sum + Number(stakedBytes(state, gvg)), 0);
  const stored = gvgs.reduce((sum, gvg) => sum + gvg.storedSize, 0);
  return Math.min(staked, Limits.BYTES_PER_FAMILY) - stored;
}
