import type { BucketInfo, GlobalVirtualGroup, ObjectInfo } from '#protocols/greenfield/types';
import { Limits } from './limits.ts';
import { type BilledObject, chargeStoreFee, unchargeStoreFee, unlockStoreFee } from './payment/bills.ts';
import type { PaymentContext } from './payment/stream-records.ts';
import type { LocalVirtualGroup } from './records.ts';
import { Errors, Refusal, wrapped } from './refusal.ts';
import type { State } from './state.ts';
import type { StateReader } from './state-reader.ts';

/** Total number of bytes that a group's stake allows. */
export function stakedBytes(state: StateReader, gvg: GlobalVirtualGroup): bigint {
  return gvg.totalDeposit / BigInt(state.params.gvgStakingPerByte);
}

/**
 * Stores an object in a global virtual group, by way of the bucket's local group for it, and charges for it instead of
 * the locked fee.
 * @returns the id of the local group
 * @throws Refusal when the group is gone, its stake does not allow the bytes, the bucket has too many groups, or
 *   nobody pays
 */
export function storeInGroup(
  context: PaymentContext,
  bucket: BucketInfo,
  gvgId: number,
  object: BilledObject,
): number {
  const { state } = context;
  const { payloadSize, objectName } = object;
  const gvg = state.gvg(gvgId);
  if (!gvg) throw new Refusal(Errors.NO_SUCH_GVG);
  if (BigInt(gvg.storedSize + payloadSize) > stakedBytes(state, gvg)) {
    throw new Refusal(Errors.INSUFFICIENT_STAKING, `gvg state: ${gvgText(gvg)}`);
  }
  const groups = state.localGroups(bucket.id);
  const existing = groups.find((group) => group.gvgId === gvgId);
  // The chain compares with ">", so a bucket can have one more than the limit.
  if (!existing && groups.length > Limits.LOCAL_GROUPS_PER_BUCKET) {
    throw new Refusal(
      Errors.VIRTUAL_GROUP_FAILED,
      `The local virtual groups binding on bucket are exceed limitation. Num: ${groups.length}, Allows: ${Limits.LOCAL_GROUPS_PER_BUCKET}`,
    );
  }
  const id = 1 + Math.max(0, ...groups.map((group) => group.id));
  const group = existing ?? { id, gvgId, storedSize: 0, chargedSize: 0 };
  if (payloadSize > 0) {
    wrapped(`unlock store fee failed: ${bucket.bucketName} ${objectName}`, () =>
      unlockStoreFee(context, bucket, object),
    );
  }
  const charged = chargeStoreFee(context, bucket, object, group.chargedSize);
  setStored(state, bucket, gvg, { ...group, chargedSize: charged }, payloadSize);
  return group.id;
}

/**
 * Removes an object's bytes from its group and stops charging for them. Removes the bucket's local group when nothing
 * is charged for it any more.
 * @param charge `kept`: the chain's group keeps the charged bytes when an update makes an object empty
 * @throws Refusal
 */
export function removeFromGroup(
  context: PaymentContext,
  bucket: BucketInfo,
  object: ObjectInfo,
  charge: 'dropped' | 'kept' = 'dropped',
): void {
  const { state } = context;
  const group = state.localGroups(bucket.id).find(({ id }) => id === object.localVirtualGroupId);
  const gvg = group && state.gvg(group.gvgId);
  if (!group || !gvg) throw new Refusal(Errors.NO_SUCH_GVG);
  const charged = unchargeStoreFee(context, bucket, object, group.chargedSize);
  const chargedSize = charge === 'kept' ? group.chargedSize : charged;
  setStored(state, bucket, gvg, { ...group, chargedSize }, -object.payloadSize);
}

function setStored(
  state: State,
  bucket: BucketInfo,
  gvg: GlobalVirtualGroup,
  group: LocalVirtualGroup,
  change: number,
): void {
  const others = state.localGroups(bucket.id).filter(({ id }) => id !== group.id);
  const changed = { ...group, storedSize: group.storedSize + change };
  state.putLocalGroups(bucket.id, group.chargedSize === 0 ? others : [...others, changed]);
  state.putGvg({ ...gvg, storedSize: gvg.storedSize + change });
}

/** Formats a group as in the chain's refusals. */
function gvgText(gvg: GlobalVirtualGroup): string {
  const { id, familyId, primarySpId, secondarySpIds, storedSize, totalDeposit } = gvg;
  const secondaries = secondarySpIds.map((spId) => `secondary_sp_ids:${spId} `).join('');
  return `id:${id} family_id:${familyId} primary_sp_id:${primarySpId} ${secondaries}stored_size:${storedSize} total_deposit:"${totalDeposit}" `;
}
