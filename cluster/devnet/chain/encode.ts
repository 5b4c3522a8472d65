import { BaseAccount } from '@bnb-chain/greenfield-cosmos-types/cosmos/auth/v1beta1/auth.js';
import { PubKey } from '@bnb-chain/greenfield-cosmos-types/cosmos/crypto/eth/ethsecp256k1/keys.js';
import {
  StreamAccountStatus,
  StreamRecord as StreamRecordMessage,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/payment/stream_record.js';
import { StorageProvider as SpMessage } from '@bnb-chain/greenfield-cosmos-types/greenfield/sp/types.js';
import { Params } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/params.js';
import {
  BucketInfo as BucketMessage,
  GroupInfo as GroupMessage,
  ObjectInfo as ObjectMessage,
  ShadowObjectInfo as ShadowObjectMessage,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/types.js';
import { Params as VirtualGroupParams } from '@bnb-chain/greenfield-cosmos-types/greenfield/virtualgroup/params.js';
import {
  GlobalVirtualGroupFamily as FamilyMessage,
  GlobalVirtualGroup as GvgMessage,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/virtualgroup/types.js';
import { fromHex } from '#protocols/greenfield/hex';
import type {
  BucketInfo,
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  ObjectInfo,
  PendingUpdate,
  StorageProvider,
} from '#protocols/greenfield/types';
import { BUCKET_STATUS, OBJECT_STATUS, REDUNDANCY, SP_STATUS, VISIBILITY } from '#runtime/chain/decode';
import type { Group, Tag } from './access/access-state.ts';
import type { GenesisParams } from './genesis.ts';
import { Limits } from './limits.ts';
import type { AccountRecord, StreamRecord } from './records.ts';

/** Converts plain data to Greenfield's protobuf messages: the reverse of runtime/chain/decode.ts. */
export function fromObject(object: ObjectInfo, tags?: readonly Tag[]): ObjectMessage {
  return ObjectMessage.fromPartial({
    owner: object.owner,
    // The chain omits the creator if it is the owner.
    creator: object.creator === object.owner ? '' : object.creator,
    bucketName: object.bucketName,
    objectName: object.objectName,
    id: object.id,
    localVirtualGroupId: object.localVirtualGroupId,
    payloadSize: object.payloadSize,
    visibility: VISIBILITY.indexOf(object.visibility),
    contentType: object.contentType,
    createAt: object.createdAt,
    objectStatus: OBJECT_STATUS.indexOf(object.status),
    redundancyType: REDUNDANCY.indexOf(object.redundancy),
    checksums: object.checksums.map((checksum) => fromHex(checksum)),
    isUpdating: object.isUpdating,
    updatedAt: object.updatedAt,
    updatedBy: object.updatedBy,
    version: object.version,
    ...tagged(tags),
  });
}

export function fromGroup(group: Group, tags?: readonly Tag[]): GroupMessage {
  return GroupMessage.fromPartial({ ...group, ...tagged(tags) });
}

function tagged(tags: readonly Tag[] | undefined): { tags?: { tags: Tag[] } } {
  return tags ? { tags: { tags: [...tags] } } : {};
}

export function fromPendingUpdate(objectId: string, update: PendingUpdate): ShadowObjectMessage {
  return ShadowObjectMessage.fromPartial({
    operator: update.updater,
    id: objectId,
    contentType: update.contentType,
    payloadSize: update.payloadSize,
    checksums: update.checksums.map((checksum) => fromHex(checksum)),
    updatedAt: update.updatedAt,
    version: update.version,
  });
}

export function fromBucket(bucket: BucketInfo, tags?: readonly Tag[]): BucketMessage {
  return BucketMessage.fromPartial({
    owner: bucket.owner,
    bucketName: bucket.bucketName,
    visibility: VISIBILITY.indexOf(bucket.visibility),
    id: bucket.id,
    createAt: bucket.createdAt,
    paymentAddress: bucket.paymentAddress,
    globalVirtualGroupFamilyId: bucket.familyId,
    chargedReadQuota: bucket.chargedReadQuota,
    bucketStatus: BUCKET_STATUS.indexOf(bucket.status),
    spAsDelegatedAgentDisabled: bucket.delegatedAgentDisabled,
    ...tagged(tags),
  });
}

export function fromStorageProvider(sp: StorageProvider): SpMessage {
  return SpMessage.fromPartial({
    id: sp.id,
    operatorAddress: sp.operatorAddress,
    fundingAddress: sp.fundingAddress,
    sealAddress: sp.sealAddress,
    approvalAddress: sp.approvalAddress,
    gcAddress: sp.gcAddress,
    maintenanceAddress: sp.maintenanceAddress,
    totalDeposit: '0',
    status: SP_STATUS.indexOf(sp.status),
    endpoint: sp.endpoint,
    description: { moniker: sp.moniker },
    blsKey: fromHex(sp.blsKey),
  });
}

export function fromGvg(gvg: GlobalVirtualGroup): GvgMessage {
  return GvgMessage.fromPartial({
    id: gvg.id,
    familyId: gvg.familyId,
    primarySpId: gvg.primarySpId,
    secondarySpIds: [...gvg.secondarySpIds],
    storedSize: gvg.storedSize,
    totalDeposit: gvg.totalDeposit.toString(),
  });
}

export function fromFamily(family: GlobalVirtualGroupFamily): FamilyMessage {
  return FamilyMessage.fromPartial({
    id: family.id,
    primarySpId: family.primarySpId,
    globalVirtualGroupIds: [...family.gvgIds],
  });
}

export function fromStorageParams({ storage }: GenesisParams): Params {
  return Params.fromPartial({
    versionedParams: {
      maxSegmentSize: storage.maxSegmentSize,
      redundantDataChunkNum: storage.dataChunks,
      redundantParityChunkNum: storage.parityChunks,
      minChargeSize: storage.minChargeSize,
    },
    maxPayloadSize: storage.maxPayloadSize,
    maxBucketsPerAccount: Limits.BUCKETS_PER_ACCOUNT,
    maxLocalVirtualGroupNumPerBucket: Limits.LOCAL_GROUPS_PER_BUCKET,
  });
}

export function fromVirtualGroupParams(params: GenesisParams): VirtualGroupParams {
  return VirtualGroupParams.fromPartial({
    depositDenom: 'BNB',
    gvgStakingPerBytes: params.gvgStakingPerByte,
    maxLocalVirtualGroupNumPerBucket: Limits.LOCAL_GROUPS_PER_BUCKET,
    maxGlobalVirtualGroupNumPerFamily: Limits.GROUPS_PER_FAMILY,
    maxStoreSizePerFamily: Limits.BYTES_PER_FAMILY,
  });
}

export function fromStreamRecord(record: StreamRecord): StreamRecordMessage {
  return StreamRecordMessage.fromPartial({
    account: record.account,
    crudTimestamp: record.crudTimestamp,
    netflowRate: record.netflowRate.toString(),
    frozenNetflowRate: record.frozenNetflowRate.toString(),
    staticBalance: record.staticBalance.toString(),
    bufferBalance: record.bufferBalance.toString(),
    lockBalance: record.lockBalance.toString(),
    status:
      record.status === 'FROZEN'
        ? StreamAccountStatus.STREAM_ACCOUNT_STATUS_FROZEN
        : StreamAccountStatus.STREAM_ACCOUNT_STATUS_ACTIVE,
    settleTimestamp: record.settleTimestamp,
  });
}

export function fromAccount(account: AccountRecord): BaseAccount {
  const publicKey = account.publicKey && {
    typeUrl: '/cosmos.crypto.eth.ethsecp256k1.PubKey',
    value: PubKey.encode(PubKey.fromPartial({ key: fromHex(account.publicKey) })).finish(),
  };
  return BaseAccount.fromPartial({
    address: account.address,
    ...(publicKey ? { pubKey: publicKey } : {}),
    accountNumber: account.accountNumber,
    sequence: account.sequence,
  });
}
