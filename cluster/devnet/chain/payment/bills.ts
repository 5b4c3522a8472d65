import type { BucketInfo } from '#protocols/greenfield/types';
import { plainRefusal, wrapped } from '../refusal.ts';
import type { State } from '../state.ts';
import { chargedSize, lockFee, PaymentParams, readRate, storeRate } from './prices.ts';
import { changeStream, type PaymentContext } from './stream-records.ts';

/** The fields of an object that determine its fee. */
export interface BilledObject {
  readonly objectName: string;
  /** Bytes. */
  readonly payloadSize: number;
}

/** Locks the fee of announced content until its seal. @throws Refusal */
export function lockStoreFee(context: PaymentContext, bucket: BucketInfo, object: BilledObject): void {
  const { state } = context;
  const { bucketName, paymentAddress } = bucket;
  const lock = lockFee(state, object.payloadSize);
  checkFlowRate(state, bucket, storeRate(state, chargedSize(state, object.payloadSize)));
  const { staticBalance } = wrapped(`update stream record failed: ${bucketName} ${object.objectName}`, () =>
    changeStream(context, paymentAddress, { lock }),
  );
  if (staticBalance < 0n) {
    throw plainRefusal(
      `static balance is not enough for ${bucketName} ${object.objectName}, lacks ${-staticBalance}`,
    );
  }
  state.countLocked(bucket.id, 1);
}

/** Releases the locked fee of an object that is sealed or removed. @throws Refusal */
export function unlockStoreFee(context: PaymentContext, bucket: BucketInfo, object: BilledObject): void {
  unlock(
    context,
    bucket,
    object.payloadSize,
    `update stream record failed: ${bucket.bucketName} ${object.objectName}`,
  );
}

/** Releases the locked fee of an update that is cancelled. @throws Refusal */
export function unlockUpdateFee(
  context: PaymentContext,
  bucket: BucketInfo,
  objectId: string,
  payloadSize: number,
): void {
  unlock(context, bucket, payloadSize, `update stream record failed, objectID: ${objectId}`);
}

function unlock(context: PaymentContext, bucket: BucketInfo, payloadSize: number, failure: string): void {
  const lock = -lockFee(context.state, payloadSize);
  wrapped(failure, () => changeStream(context, bucket.paymentAddress, { lock }));
  context.state.countLocked(bucket.id, -1);
}

/**
 * Charges for an object in a local group that has been charged for `charged` bytes so far.
 * @returns the bytes that are charged for now
 * @throws Refusal
 */
export function chargeStoreFee(
  context: PaymentContext,
  bucket: BucketInfo,
  object: BilledObject,
  charged: number,
): number {
  const { state } = context;
  const now = charged + chargedSize(state, object.payloadSize);
  wrapped(`apply object store bill failed: ${bucket.bucketName} ${object.objectName}`, () => {
    checkFlowRate(state, bucket, storeRate(state, now));
    changeFlow(context, bucket, storeRate(state, now) - storeRate(state, charged));
  });
  return now;
}

/** Stops charging for an object; one stored for less than the reserve time is charged for that time. @throws Refusal */
export function unchargeStoreFee(
  context: PaymentContext,
  bucket: BucketInfo,
  object: BilledObject & { readonly createdAt: number; readonly updatedAt: number },
  charged: number,
): number {
  const { state, time } = context;
  const names = `${bucket.bucketName} ${object.objectName}`;
  const now = charged - chargedSize(state, object.payloadSize);
  const rate = storeRate(state, charged) - storeRate(state, now);
  wrapped(`apply object store bill failed: ${names}`, () => changeFlow(context, bucket, -rate));
  const stored = BigInt(time - (object.updatedAt || object.createdAt));
  const toPay = PaymentParams.RESERVE_TIME - stored;
  if (toPay > 0n) {
    wrapped(`pay for early deletion failed: ${names} subtracting from payment account failed: ${names}`, () =>
      changeStream(context, bucket.paymentAddress, { static: -rate * toPay }),
    );
  }
  return now;
}

/** Changes the charge for a bucket's read quota. @throws Refusal */
export function changeReadQuota(context: PaymentContext, bucket: BucketInfo, from: number, to: number): void {
  checkFlowRate(context.state, bucket, readRate(to));
  changeFlow(context, bucket, readRate(to) - readRate(from));
}

/** Changes the charge for a bucket whose read quota or payment account has changed. @throws Refusal */
export function changeBucketBill(context: PaymentContext, before: BucketInfo, after: BucketInfo): void {
  const { state } = context;
  const samePayer = before.paymentAddress === after.paymentAddress;
  if (!samePayer && before.chargedReadQuota !== after.chargedReadQuota) {
    throw plainRefusal('payment address and read quota can not be changed at the same time');
  }
  const stored = state
    .localGroups(before.id)
    .reduce((sum, group) => sum + storeRate(state, group.chargedSize), 0n);
  const old = stored + readRate(before.chargedReadQuota);
  const now = stored + readRate(after.chargedReadQuota);
  checkFlowRate(state, after, now);
  wrapped('apply user flows list failed:', () => {
    if (samePayer) {
      changeFlow(context, after, now - old);
      return;
    }
    const changes = [
      { bucket: before, more: -old },
      { bucket: after, more: now },
    ].sort((a, b) => (a.bucket.paymentAddress < b.bucket.paymentAddress ? -1 : 1));
    for (const { bucket, more } of changes) changeFlow(context, bucket, more);
  });
}

/** @param more increase of what the account pays per second */
function changeFlow(context: PaymentContext, bucket: BucketInfo, more: bigint): void {
  const { paymentAddress } = bucket;
  const frozen = context.state.streamRecord(paymentAddress)?.status === 'FROZEN';
  const change = () => changeStream(context, paymentAddress, { rate: -more });
  if (frozen) change();
  else wrapped('apply stream record changes for user failed:', change);
}

/** Refuses payment for another owner's bucket: the limits by which a payer may allow it are not implemented. */
function checkFlowRate(state: State, bucket: BucketInfo, rate: bigint): void {
  const { bucketName, owner, paymentAddress } = bucket;
  if (rate === 0n || paymentAddress === owner || state.paymentAccount(paymentAddress)?.owner === owner)
    return;
  throw plainRefusal(`the flow rate limit is not set for the bucket ${bucketName}`);
}
