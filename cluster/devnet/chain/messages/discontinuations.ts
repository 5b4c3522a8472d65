import { checksumAddress } from '#protocols/greenfield/address';
import { StorageEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import type { StorageProvider } from '#protocols/greenfield/types';
import { Limits } from '../limits.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { State } from '../state.ts';
import type { Context, MessageResponse } from './context.ts';

/** An SP discontinues objects. A real chain deletes them a week later; here they stay discontinued. @throws Refusal */
export function discontinueObject(
  { state, time, emit }: Context,
  message: MessageValue<'/greenfield.storage.MsgDiscontinueObject'>,
): MessageResponse {
  const { bucketName, reason } = message;
  const sp = spByGcAddress(state, checksumAddress(message.operator));
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  if (bucket.status === 'DISCONTINUED') throw new Refusal(Errors.INVALID_BUCKET_STATUS);
  if (sp.id !== state.primarySpOf(bucket).id) {
    throw new Refusal(Errors.ACCESS_DENIED, 'the sp is not allowed to do discontinue objects');
  }
  for (const id of message.objectIds) {
    const object = state.objectById(id);
    if (!object) throw new Refusal(Errors.INVALID_OBJECT_IDS, `object not found, id: ${id}`);
    if (object.bucketName !== bucketName) {
      throw new Refusal(Errors.INVALID_OBJECT_IDS, `object ${id} should in bucket: ${bucketName}`);
    }
    if (object.status === 'DISCONTINUED') {
      throw new Refusal(Errors.INVALID_OBJECT_IDS, `object ${id} should in created or sealed status`);
    }
    state.putObject({ ...object, status: 'DISCONTINUED' });
  }
  const deleteAt = (time + Limits.DISCONTINUE_PERIOD).toString();
  for (const id of message.objectIds) {
    emit(StorageEvent.DISCONTINUE_OBJECT, {
      bucket_name: bucketName,
      object_id: id,
      reason,
      delete_at: deleteAt,
    });
  }
  return { typeUrl: '/greenfield.storage.MsgDiscontinueObjectResponse', value: new Uint8Array() };
}

/** An SP discontinues a bucket. @throws Refusal */
export function discontinueBucket(
  { state, time, emit }: Context,
  message: MessageValue<'/greenfield.storage.MsgDiscontinueBucket'>,
): MessageResponse {
  const { bucketName, reason } = message;
  const sp = spByGcAddress(state, checksumAddress(message.operator));
  const bucket = state.bucket(bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  if (bucket.status === 'DISCONTINUED') throw new Refusal(Errors.INVALID_BUCKET_STATUS);
  const primary = state.primarySpOf(bucket);
  if (sp.id !== primary.id) {
    throw new Refusal(
      Errors.ACCESS_DENIED,
      `only primary sp is allowed to do discontinue bucket, expect sp id : ${primary.id}`,
    );
  }
  state.putBucket({ ...bucket, status: 'DISCONTINUED' });
  emit(StorageEvent.DISCONTINUE_BUCKET, {
    bucket_id: bucket.id,
    bucket_name: bucketName,
    reason,
    delete_at: (time + Limits.DISCONTINUE_PERIOD).toString(),
  });
  return { typeUrl: '/greenfield.storage.MsgDiscontinueBucketResponse', value: new Uint8Array() };
}

function spByGcAddress(state: State, address: string): StorageProvider {
  const sp = state.sps.find(({ gcAddress }) => gcAddress === address);
  if (!sp) throw new Refusal(Errors.NO_SUCH_SP, `SP operator address: ${address}`);
  if (sp.status !== 'IN_SERVICE') throw new Refusal(Errors.SP_NOT_IN_SERVICE);
  return sp;
}
