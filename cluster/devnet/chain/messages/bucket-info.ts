import { ActionType } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import type { BucketInfo } from '#protocols/greenfield/types';
import { Limits } from '../limits.ts';
import { changeBucketBill } from '../payment/bills.ts';
import { allowedOnBucket } from '../permission.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { Context, MessageResponse } from './context.ts';

type Update = MessageValue<'/greenfield.storage.MsgUpdateBucketInfo'>;

/** Changes visibility, payment account or read quota of a bucket. @throws Refusal */
export function updateBucketInfo(context: Context, message: Update): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const { bucketName } = message;
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  const { status } = state.primarySpOf(bucket);
  if (status === 'GRACEFUL_EXITING' || status === 'FORCED_EXITING') {
    throw new Refusal(Errors.UPDATE_QUOTA_FAILED, `The SP is in STATUS_${status}, bucket can not be updated`);
  }
  if (!allowedOnBucket(context, operator, bucket, ActionType.ACTION_UPDATE_BUCKET_INFO)) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `The operator(${operator}) has no UpdateBucketInfo permission of the bucket(${bucketName})`,
    );
  }
  const updated: BucketInfo = {
    ...bucket,
    chargedReadQuota: newQuota(context, bucket, message.chargedReadQuota?.value),
    visibility: message.visibility === 'UNSPECIFIED' ? bucket.visibility : message.visibility,
    paymentAddress: newPayer(context, bucket, message.paymentAddress),
  };
  changeBucketBill(context, bucket, updated);
  state.putBucket(updated);
  emit(StorageEvent.UPDATE_BUCKET_INFO, {
    operator,
    bucket_name: bucketName,
    bucket_id: bucket.id,
    charged_read_quota: updated.chargedReadQuota.toString(),
    payment_address: updated.paymentAddress,
    visibility: `VISIBILITY_TYPE_${updated.visibility}`,
    global_virtual_group_family_id: bucket.familyId,
  });
  return { typeUrl: '/greenfield.storage.MsgUpdateBucketInfoResponse', value: new Uint8Array() };
}

/** A quota can be raised at any time, but lowered only some time after its last change. */
function newQuota({ state, time }: Context, bucket: BucketInfo, wanted: bigint | undefined): number {
  const quota = wanted === undefined ? bucket.chargedReadQuota : Number(wanted);
  if (quota === bucket.chargedReadQuota) return quota;
  if (quota < bucket.chargedReadQuota) {
    const changed = state.quotaTime(bucket.id);
    if (changed === undefined) throw new Refusal(Errors.UPDATE_QUOTA_FAILED);
    const from = changed + Limits.QUOTA_INTERVAL;
    if (from > time) {
      throw new Refusal(
        Errors.UPDATE_QUOTA_FAILED,
        `The quota can be updated to a smaller value before ${from} timestamp`,
      );
    }
  }
  state.putQuotaTime(bucket.id, time);
  return quota;
}

function newPayer({ state }: Context, bucket: BucketInfo, wanted: string): string {
  if (wanted === '') return bucket.paymentAddress;
  const paymentAddress = checksumAddress(wanted);
  if (paymentAddress !== bucket.paymentAddress && state.lockedCount(bucket.id) > 0) {
    throw new Refusal(
      Errors.UPDATE_PAYMENT_FAILED,
      // The chain's own spelling.
      `The bucket ${bucket.bucketName} has unseald objects`,
    );
  }
  return paymentAddress;
}
