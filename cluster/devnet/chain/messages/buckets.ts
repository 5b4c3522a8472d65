import { MsgCreateBucketResponse } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import { Limits } from '../limits.ts';
import { changeReadQuota } from '../payment/bills.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { Context, MessageResponse } from './context.ts';
import { servesFor } from './objects.ts';

/** @throws Refusal */
export function createBucket(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgCreateBucket'>,
): MessageResponse {
  const { state, time, emit } = context;
  const owner = checksumAddress(message.creator);
  if (state.bucket(message.bucketName)) throw new Refusal(Errors.BUCKET_EXISTS);
  const paymentAddress = message.paymentAddress === '' ? owner : checksumAddress(message.paymentAddress);

  const primary = checksumAddress(message.primarySpAddress);
  const sp = state.sps.find(({ operatorAddress }) => operatorAddress === primary);
  if (!sp) throw new Refusal(Errors.NO_SUCH_SP, 'the storage provider is not exist');
  if (!servesFor(sp, owner)) {
    throw new Refusal(Errors.NO_SUCH_SP, 'the storage provider is not in service');
  }
  const family = state.family(message.primarySpApproval?.globalVirtualGroupFamilyId ?? 0);
  if (!family) throw new Refusal(Errors.NO_SUCH_FAMILY);
  const stored = state.gvgsOf(family).reduce((sum, { storedSize }) => sum + storedSize, 0);
  if (stored >= Limits.BYTES_PER_FAMILY) {
    throw new Refusal(Errors.LIMITATION_EXCEEDED, `the family holds ${stored} bytes`);
  }

  const announced = {
    owner,
    bucketName: message.bucketName,
    visibility: message.visibility,
    id: '',
    createdAt: time,
    paymentAddress,
    familyId: family.id,
    chargedReadQuota: Number(message.chargedReadQuota),
    status: 'CREATED',
    delegatedAgentDisabled: false,
  } as const;
  if (announced.chargedReadQuota > 0) changeReadQuota(context, announced, 0, announced.chargedReadQuota);
  const bucket = { ...announced, id: state.nextId('bucket') };
  state.putBucket(bucket);
  emit(StorageEvent.CREATE_BUCKET, {
    owner,
    bucket_name: bucket.bucketName,
    visibility: `VISIBILITY_TYPE_${bucket.visibility}`,
    create_at: time.toString(),
    bucket_id: bucket.id,
    source_type: 'SOURCE_TYPE_ORIGIN',
    charged_read_quota: message.chargedReadQuota.toString(),
    payment_address: paymentAddress,
    primary_sp_id: sp.id,
    global_virtual_group_family_id: family.id,
    status: 'BUCKET_STATUS_CREATED',
  });
  const value = MsgCreateBucketResponse.encode({ bucketId: bucket.id }).finish();
  return { typeUrl: '/greenfield.storage.MsgCreateBucketResponse', value };
}
