import type { BucketInfo, GlobalVirtualGroup } from '../../../protocols/greenfield/types.ts';
import { Limits } from './limits.ts';
import { Errors, Refusal } from './refusal.ts';
import type { LocalVirtualGroup, State, StateReader } from './state.ts';

/** Bytes that a group's stake allows in all. */
export function stakedBytes(state: StateReader, gvg: GlobalVirtualGroup): bigint {
  return gvg.totalDeposit / BigInt(state.params.gvgStakingPerByte);
}

/**
 * Puts bytes of a bucket into a global virtual group, through the local group that the bucket has for it.
 * @returns the id of the local group
 * @throws Refusal when the group is gone, its stake does not allow the bytes, or the bucket has too many groups
 */
export function storeInGroup(state: State, bucket: BucketInfo, gvgId: number, bytes: number): number {
  const gvg = state.gvg(gvgId);
  if (!gvg) throw new Refusal(Errors.NO_SUCH_GVG);
  if (BigInt(gvg.storedSize + bytes) > stakedBytes(state, gvg)) {
    throw new Refusal(Errors.INSUFFICIENT_STAKING, `gvg ${gvg.id} holds ${gvg.storedSize} bytes`);
  }
  const groups = state.localGroups(bucket.id);
  const existing = groups.find((group) => group.gvgId === gvgId);
  // The chain compares with ">", so that a bucket can have one more than the limit.
  if (!existing && groups.length > Limits.LOCAL_GROUPS_PER_BUCKET) {
    throw new Refusal(Errors.VIRTUAL_GROUP_FAILED, 'The local virtual groups of the bucket exceed the limit');
  }
  const group = existing ?? { id: 1 + Math.max(0, ...groups.map(({ id }) => id)), gvgId, storedSize: 0 };
  setStored(state, bucket, gvg, group, bytes);
  return group.id;
}

/** Takes bytes that `storeInGroup` put in out again. */
export function removeFromGroup(state: State, bucket: BucketInfo, localGroupId: number, bytes: number): void {
  const group = state.localGroups(bucket.id).find(({ id }) => id === localGroupId);
  const gvg = group && state.gvg(group.gvgId);
  if (!group || !gvg) throw new Refusal(Errors.NO_SUCH_GVG);
  setStored(state, bucket, gvg, group, -bytes);
}

function setStored(
  state: State,
  bucket: BucketInfo,
  gvg: GlobalVirtualGroup,
  group: LocalVirtualGroup,
  bytes: number,
): void {
  const others = state.localGroups(bucket.id).filter(({ id }) => id !== group.id);
  state.putLocalGroups(bucket.id, [...others, { ...group, storedSize: group.storedSize + bytes }]);
  state.putGvg({ ...gvg, storedSize: gvg.storedSize + bytes });
}
