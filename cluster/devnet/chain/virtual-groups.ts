import type { BucketInfo, GlobalVirtualGroup, ObjectInfo } from '../../../protocols/greenfield/types.ts';
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
  const id = 1 + Math.max(0, ...groups.map((group) => group.id));
  const group = existing ?? { id, gvgId, storedSize: 0, chargedSize: 0 };
  setStored(state, bucket, gvg, group, { stored: bytes, charged: chargedSize(state, bytes) });
  return group.id;
}

/**
 * Takes an object's bytes out of its group, and with the last of them the bucket's local group.
 * @param charge `kept`: what the chain forgets to take off the bill when an update makes an object empty
 */
export function removeFromGroup(
  state: State,
  bucket: BucketInfo,
  object: ObjectInfo,
  charge: 'dropped' | 'kept' = 'dropped',
): void {
  const group = state.localGroups(bucket.id).find(({ id }) => id === object.localVirtualGroupId);
  const gvg = group && state.gvg(group.gvgId);
  if (!group || !gvg) throw new Refusal(Errors.NO_SUCH_GVG);
  setStored(state, bucket, gvg, group, {
    stored: -object.payloadSize,
    charged: charge === 'kept' ? 0 : -chargedSize(state, object.payloadSize),
  });
}

/** Bytes that are charged for an object. */
function chargedSize(state: StateReader, payloadSize: number): number {
  return Math.max(payloadSize, state.params.storage.minChargeSize);
}

function setStored(
  state: State,
  bucket: BucketInfo,
  gvg: GlobalVirtualGroup,
  group: LocalVirtualGroup,
  change: { readonly stored: number; readonly charged: number },
): void {
  const others = state.localGroups(bucket.id).filter(({ id }) => id !== group.id);
  const changed = {
    ...group,
    storedSize: group.storedSize + change.stored,
    chargedSize: group.chargedSize + change.charged,
  };
  state.putLocalGroups(bucket.id, changed.chargedSize === 0 ? others : [...others, changed]);
  state.putGvg({ ...gvg, storedSize: gvg.storedSize + change.stored });
}
