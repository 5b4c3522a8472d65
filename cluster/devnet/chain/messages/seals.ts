import { LRUCache } from 'lru-cache';
import { checksumAddress } from '#protocols/greenfield/address';
import { blsAggregate } from '#protocols/greenfield/bls';
import { StorageEvent } from '#protocols/greenfield/events';
import { fromHex, hexToBase64 } from '#protocols/greenfield/hex';
import type { MessageValue } from '#protocols/greenfield/messages';
import type { GlobalVirtualGroup, Hex, ObjectInfo, StorageProvider } from '#protocols/greenfield/types';
import { verifySealAggregate } from '#protocols/sealing/seal';
import type { SealDocument } from '#protocols/sealing/seal-document';
import { unlockStoreFee } from '../payment/bills.ts';
import { Errors, Refusal, refusedAs } from '../refusal.ts';
import type { State } from '../state.ts';
import { removeFromGroup, storeInGroup } from '../virtual-groups.ts';
import type { Context, MessageResponse } from './context.ts';
import { dropUpdate } from './updates.ts';

type SealV2 = MessageValue<'/greenfield.storage.MsgSealObjectV2'>;

/** @throws Refusal */
export function sealObject(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgSealObject'>,
): MessageResponse {
  seal(context, { ...message, expectChecksums: [] });
  return { typeUrl: '/greenfield.storage.MsgSealObjectResponse', value: new Uint8Array() };
}

/** A seal that contains the checksums, for objects created without them. @throws Refusal */
export function sealObjectV2(context: Context, message: SealV2): MessageResponse {
  seal(context, message);
  return { typeUrl: '/greenfield.storage.MsgSealObjectV2Response', value: new Uint8Array() };
}

/**
 * The checks are in the chain's order, since clients see the first that fails
 * (protocols/sealing/README.md#what-the-chain-checks).
 */
function seal(context: Context, message: SealV2): void {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const bucket = state.bucket(message.bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  const primary = state.primarySpOf(bucket);
  if (spBySealAddress(state, operator).id !== primary.id) {
    throw new Refusal(Errors.ACCESS_DENIED, "Only SP's seal address is allowed to SealObject");
  }
  const before = state.object(message.bucketName, message.objectName);
  if (!before) throw new Refusal(Errors.NO_SUCH_OBJECT);
  if (before.checksums.length === 0 && message.expectChecksums.length === 0) {
    throw new Refusal(Errors.CHECKSUMS_MISSING);
  }
  const isUpdate = before.isUpdating && before.status === 'SEALED';
  if (!isUpdate && before.status !== 'CREATED') throw new Refusal(Errors.OBJECT_ALREADY_SEALED);
  if (isUpdate) removeFromGroup(context, bucket, before);
  const object = isUpdate ? withUpdate(state, before, message) : withChecksums(before, message);

  const gvg = state.gvg(message.globalVirtualGroupId);
  if (!gvg) throw new Refusal(Errors.NO_SUCH_GVG);
  if (gvg.familyId !== bucket.familyId || gvg.primarySpId !== primary.id) {
    throw new Refusal(
      Errors.INVALID_GVG,
      `Global virtual group mismatch, familyID: ${gvg.familyId}, bucket family ID: ${bucket.familyId}`,
    );
  }
  const { dataChunks, parityChunks } = state.params.storage;
  if (gvg.secondarySpIds.length !== dataChunks + parityChunks) {
    throw new Refusal(
      Errors.INVALID_GVG,
      `secondary sp num mismatch, expect (${dataChunks + parityChunks}), but (${gvg.secondarySpIds.length})`,
    );
  }
  checkAggregate(state, gvg, object, message.secondarySpBlsAggSignatures);

  // The chain reports every failure from here on, even of the payment, as this one error.
  const localVirtualGroupId = refusedAs(Errors.INVALID_GVG, 'err message', () =>
    storeInGroup(context, bucket, gvg.id, object),
  );
  const sealed: ObjectInfo = { ...object, status: 'SEALED', localVirtualGroupId };
  state.putObject(sealed);

  const names = { bucket_name: sealed.bucketName, object_name: sealed.objectName, object_id: sealed.id };
  if (isUpdate) {
    state.deletePendingUpdate(sealed.id);
    emit(StorageEvent.UPDATE_OBJECT_CONTENT_SUCCESS, {
      ...names,
      operator,
      content_type: sealed.contentType,
      prev_payload_size: before.payloadSize.toString(),
      new_payload_size: sealed.payloadSize.toString(),
      // If the old content had none, the chain uses those of the message for it, too.
      prev_checksums: withChecksums(before, message).checksums.map(hexToBase64),
      new_checksums: sealed.checksums.map(hexToBase64),
      version: sealed.version.toString(),
      updated_at: sealed.updatedAt.toString(),
    });
  }
  emit(StorageEvent.SEAL_OBJECT, {
    ...names,
    operator,
    status: 'OBJECT_STATUS_SEALED',
    global_virtual_group_id: gvg.id,
    local_virtual_group_id: localVirtualGroupId,
    checksums: sealed.checksums.map(hexToBase64),
  });
}

/** The primary rejects an object, or an update of one. @throws Refusal */
export function rejectSealObject(
  context: Context,
  message: MessageValue<'/greenfield.storage.MsgRejectSealObject'>,
): MessageResponse {
  const { state, emit } = context;
  const operator = checksumAddress(message.operator);
  const bucket = state.bucket(message.bucketName);
  if (!bucket) throw new Refusal(Errors.NO_SUCH_BUCKET);
  const object = state.object(message.bucketName, message.objectName);
  if (!object) throw new Refusal(Errors.NO_SUCH_OBJECT);
  const primary = state.primarySpOf(bucket);
  if (object.status !== 'CREATED' && !object.isUpdating) {
    throw new Refusal(Errors.OBJECT_NOT_CREATED, `Object status: OBJECT_STATUS_${object.status}`);
  }
  const sp = spBySealAddress(state, operator);
  if (sp.status !== 'IN_SERVICE' && sp.status !== 'IN_MAINTENANCE') {
    throw new Refusal(Errors.SP_NOT_IN_SERVICE);
  }
  if (sp.id !== primary.id) {
    throw new Refusal(Errors.ACCESS_DENIED, 'Only allowed primary SP to do reject seal object');
  }
  if (object.isUpdating) {
    dropUpdate(context, bucket, object);
  } else {
    unlockStoreFee(context, bucket, object);
    state.deleteObject(object);
  }
  emit(StorageEvent.REJECT_SEAL_OBJECT, {
    operator,
    bucket_name: object.bucketName,
    object_name: object.objectName,
    object_id: object.id,
    for_update: object.isUpdating,
  });
  return { typeUrl: '/greenfield.storage.MsgRejectSealObjectResponse', value: new Uint8Array() };
}

function spBySealAddress(state: State, address: string): StorageProvider {
  const sp = state.sps.find(({ sealAddress }) => sealAddress === address);
  if (!sp) throw new Refusal(Errors.NO_SUCH_SP, `SP seal address: ${address}`);
  return sp;
}

function withChecksums(object: ObjectInfo, message: SealV2): ObjectInfo {
  return object.checksums.length > 0 ? object : { ...object, checksums: message.expectChecksums };
}

/** The object with the pending content instead of the old. */
function withUpdate(state: State, object: ObjectInfo, message: SealV2): ObjectInfo {
  const update = state.pendingUpdate(object.id);
  if (!update) throw new Refusal(Errors.NO_SUCH_OBJECT, 'the pending content is gone');
  const checksums = update.checksums.length > 0 ? update.checksums : message.expectChecksums;
  if (checksums.length === 0) throw new Refusal(Errors.CHECKSUMS_MISSING);
  return {
    ...object,
    payloadSize: update.payloadSize,
    contentType: update.contentType,
    checksums,
    updatedAt: update.updatedAt,
    updatedBy: update.updater,
    version: update.version,
    isUpdating: false,
  };
}

/** @throws Refusal unless every secondary of the group has signed (FastAggregateVerify) */
function checkAggregate(state: State, gvg: GlobalVirtualGroup, object: ObjectInfo, aggregate: string): void {
  const blsKeys = gvg.secondarySpIds.map((id) => state.sps.find((sp) => sp.id === id)?.blsKey ?? '');
  const document = {
    chainId: state.chainId,
    gvgId: gvg.id,
    objectId: object.id,
    checksums: object.checksums,
  };
  if (isVerified(document, blsKeys, aggregate)) return;
  try {
    blsAggregate([fromHex(aggregate)]);
  } catch {
    throw new Refusal(
      Errors.INVALID_BLS_SIGNATURE,
      'BLS signature conversion failed: could not unmarshal bytes into signature',
    );
  }
  throw new Refusal(Errors.INVALID_BLS_SIGNATURE, 'aggregated signature verification failed');
}

/** Seals whose signatures have been verified, since each seal is simulated before its block executes it. */
const verified = new LRUCache<string, true>({ max: 1_000 });

function isVerified(document: SealDocument, blsKeys: readonly Hex[], aggregate: Hex): boolean {
  const name = JSON.stringify([document, blsKeys, aggregate]);
  if (verified.has(name)) return true;
  const isValid = verifySealAggregate(document, blsKeys, aggregate);
  if (isValid) verified.set(name, true);
  return isValid;
}
