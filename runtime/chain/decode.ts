import type { BaseAccount } from '@bnb-chain/greenfield-cosmos-types/cosmos/auth/v1beta1/auth.js';
import type { Any } from '@bnb-chain/greenfield-cosmos-types/google/protobuf/any.js';
import type { StorageProvider as SpMessage } from '@bnb-chain/greenfield-cosmos-types/greenfield/sp/types.js';
import type { Params } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/params.js';
import type {
  BucketInfo as BucketMessage,
  ObjectInfo as ObjectMessage,
  ShadowObjectInfo as ShadowObjectMessage,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/types.js';
import type {
  GlobalVirtualGroupFamily as FamilyMessage,
  GlobalVirtualGroup as GvgMessage,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/virtualgroup/types.js';
import { Terminal } from '#protocols/errors';
import { toHex } from '#protocols/greenfield/hex';
import type {
  Account,
  BucketInfo,
  BucketStatus,
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  ObjectInfo,
  ObjectStatus,
  PendingUpdate,
  Redundancy,
  SpStatus,
  StorageParams,
  StorageProvider,
  Visibility,
} from '#protocols/greenfield/types';

/**
 * Converts Greenfield's protobuf messages to plain data. The index of a name is its number on the wire
 * (protocols/payload/README.md#segments-and-pieces).
 */
export const OBJECT_STATUS: readonly ObjectStatus[] = ['CREATED', 'SEALED', 'DISCONTINUED'];
export const BUCKET_STATUS: readonly BucketStatus[] = ['CREATED', 'DISCONTINUED', 'MIGRATING'];
export const VISIBILITY: readonly Visibility[] = ['UNSPECIFIED', 'PUBLIC_READ', 'PRIVATE', 'INHERIT'];
export const REDUNDANCY: readonly Redundancy[] = ['EC', 'REPLICA'];
export const SP_STATUS: readonly SpStatus[] = [
  'IN_SERVICE',
  'IN_JAILED',
  'GRACEFUL_EXITING',
  'IN_MAINTENANCE',
  'FORCED_EXITING',
];

export function toObject(message: ObjectMessage): ObjectInfo {
  return {
    owner: message.owner,
    creator: message.creator || message.owner,
    bucketName: message.bucketName,
    objectName: message.objectName,
    id: message.id,
    localVirtualGroupId: message.localVirtualGroupId,
    payloadSize: toNumber(message.payloadSize),
    visibility: named(VISIBILITY, message.visibility, 'visibility'),
    contentType: message.contentType,
    createdAt: toNumber(message.createAt),
    status: named(OBJECT_STATUS, message.objectStatus, 'object status'),
    redundancy: named(REDUNDANCY, message.redundancyType, 'redundancy type'),
    checksums: message.checksums.map(toHex),
    isUpdating: message.isUpdating,
    updatedAt: toNumber(message.updatedAt),
    updatedBy: message.updatedBy,
    version: toNumber(message.version),
  };
}

export function toPendingUpdate(message: ShadowObjectMessage): PendingUpdate {
  return {
    updater: message.operator,
    payloadSize: toNumber(message.payloadSize),
    contentType: message.contentType,
    checksums: message.checksums.map(toHex),
    updatedAt: toNumber(message.updatedAt),
    version: toNumber(message.version),
  };
}

export function toBucket(message: BucketMessage): BucketInfo {
  return {
    owner: message.owner,
    bucketName: message.bucketName,
    visibility: named(VISIBILITY, message.visibility, 'visibility'),
    id: message.id,
    createdAt: toNumber(message.createAt),
    paymentAddress: message.paymentAddress,
    familyId: message.globalVirtualGroupFamilyId,
    chargedReadQuota: toNumber(message.chargedReadQuota),
    status: named(BUCKET_STATUS, message.bucketStatus, 'bucket status'),
    delegatedAgentDisabled: message.spAsDelegatedAgentDisabled,
  };
}

export function toStorageProvider(message: SpMessage): StorageProvider {
  return {
    id: message.id,
    operatorAddress: message.operatorAddress,
    fundingAddress: message.fundingAddress,
    sealAddress: message.sealAddress,
    approvalAddress: message.approvalAddress,
    gcAddress: message.gcAddress,
    maintenanceAddress: message.maintenanceAddress,
    status: named(SP_STATUS, message.status, 'storage provider status'),
    endpoint: message.endpoint,
    moniker: message.description?.moniker ?? '',
    blsKey: toHex(message.blsKey),
  };
}

export function toGvg(message: GvgMessage): GlobalVirtualGroup {
  return {
    id: message.id,
    familyId: message.familyId,
    primarySpId: message.primarySpId,
    secondarySpIds: message.secondarySpIds,
    storedSize: toNumber(message.storedSize),
    totalDeposit: BigInt(message.totalDeposit || '0'),
  };
}

export function toFamily(message: FamilyMessage): GlobalVirtualGroupFamily {
  return { id: message.id, primarySpId: message.primarySpId, gvgIds: message.globalVirtualGroupIds };
}

export function toStorageParams(message: Params): StorageParams {
  const versioned = required(message.versionedParams, 'versioned storage parameters');
  return {
    maxSegmentSize: toNumber(versioned.maxSegmentSize),
    dataChunks: versioned.redundantDataChunkNum,
    parityChunks: versioned.redundantParityChunkNum,
    minChargeSize: toNumber(versioned.minChargeSize),
    maxPayloadSize: toNumber(message.maxPayloadSize),
  };
}

/** The library unpacks accounts with keys and leaves other kinds packed. */
export function toAccount(message: BaseAccount | Any): Account {
  if (!('sequence' in message)) throw unknownAnswer('an account that cannot sign');
  return {
    address: message.address,
    accountNumber: toNumber(message.accountNumber),
    sequence: toNumber(message.sequence),
  };
}

/** @throws Terminal `chain-answer-unknown` when a node omits a required field */
export function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw unknownAnswer(`no ${what}`);
  return value;
}

function named<T>(names: readonly T[], number: number, what: string): T {
  const name = names[number];
  if (name === undefined) throw unknownAnswer(`the ${what} ${number}`);
  return name;
}

function unknownAnswer(what: string): Terminal {
  return new Terminal({
    code: 'chain-answer-unknown',
    message: `The chain answered with ${what}.`,
    advice: 'The chain is newer than this software: update Sealion.',
  });
}

/**
 * Converts a 64-bit integer to a number; above 2^53 − 1 (possible only for quotas and limits) the result is 2^53 − 1.
 */
function toNumber(value: { toString(): string }): number {
  return Math.min(Number(value.toString()), Number.MAX_SAFE_INTEGER);
}
