/**
 * Greenfield's chain objects as the rest of Sealion sees them: plain data, no protobuf, no `Long`.
 * Ids of objects and buckets are decimal strings (the chain's Uint), sizes are bytes, times unix seconds,
 * addresses `0x` + 40 hex digits in EIP-55 case, hashes and signatures lower-case hex without `0x`.
 * Source of the fields: protocols/greenfield/README.md#rpc-of-a-node.
 */
export type Hex = string;

/** `REDUNDANCY_EC_TYPE` 0 and `REDUNDANCY_REPLICA_TYPE` 1 on today's wire (protocols/payload/README.md#segments-and-pieces). */
export type Redundancy = 'EC' | 'REPLICA';
export type ObjectStatus = 'CREATED' | 'SEALED' | 'DISCONTINUED';
export type BucketStatus = 'CREATED' | 'DISCONTINUED' | 'MIGRATING';
export type Visibility = 'UNSPECIFIED' | 'PUBLIC_READ' | 'PRIVATE' | 'INHERIT';
export type SpStatus = 'IN_SERVICE' | 'IN_JAILED' | 'GRACEFUL_EXITING' | 'IN_MAINTENANCE' | 'FORCED_EXITING';

export interface ObjectInfo {
  readonly owner: string;
  readonly creator: string;
  readonly bucketName: string;
  readonly objectName: string;
  readonly id: string;
  /** 0 before the seal. */
  readonly localVirtualGroupId: number;
  readonly payloadSize: number;
  readonly visibility: Visibility;
  readonly contentType: string;
  readonly createdAt: number;
  readonly status: ObjectStatus;
  readonly redundancy: Redundancy;
  /** Seven integrity hashes, primary first; empty for a delegated upload. */
  readonly checksums: readonly Hex[];
  readonly isUpdating: boolean;
  readonly updatedAt: number;
  readonly updatedBy: string;
  readonly version: number;
}

export interface BucketInfo {
  readonly owner: string;
  readonly bucketName: string;
  readonly visibility: Visibility;
  readonly id: string;
  readonly createdAt: number;
  readonly paymentAddress: string;
  readonly familyId: number;
  readonly chargedReadQuota: number;
  readonly status: BucketStatus;
  readonly delegatedAgentDisabled: boolean;
}

export interface StorageProvider {
  readonly id: number;
  readonly operatorAddress: string;
  readonly fundingAddress: string;
  readonly sealAddress: string;
  readonly approvalAddress: string;
  readonly gcAddress: string;
  readonly maintenanceAddress: string;
  readonly status: SpStatus;
  readonly endpoint: string;
  readonly moniker: string;
  /** 48 bytes, compressed G1. */
  readonly blsKey: Hex;
}

export interface GlobalVirtualGroup {
  readonly id: number;
  readonly familyId: number;
  readonly primarySpId: number;
  /** Exactly data + parity ids; the position is the redundancy index. */
  readonly secondarySpIds: readonly number[];
  readonly storedSize: number;
  /** Staked deposit, in the chain's smallest unit. */
  readonly totalDeposit: bigint;
}

export interface GlobalVirtualGroupFamily {
  readonly id: number;
  readonly primarySpId: number;
  readonly gvgIds: readonly number[];
}

/** What the chain answers about an object. */
export interface ObjectOnChain {
  readonly object: ObjectInfo;
  /** Only once sealed. */
  readonly gvg?: GlobalVirtualGroup;
  /** Only while `object.isUpdating`: until its seal, `object` still describes the old content. */
  readonly update?: PendingUpdate;
}

/** New content of a sealed object that waits to be uploaded and sealed (the chain's shadow object). */
export interface PendingUpdate {
  readonly updater: string;
  /** Bytes. */
  readonly payloadSize: number;
  readonly contentType: string;
  /** Seven integrity hashes, primary first; empty for a delegated upload. */
  readonly checksums: readonly Hex[];
  /** Unix seconds; the parameters of this time hold for the new content. */
  readonly updatedAt: number;
  readonly version: number;
}

/** The storage module's parameters that held when an object was created or last updated. */
export interface StorageParams {
  /** Bytes; 16 MiB today. */
  readonly maxSegmentSize: number;
  readonly dataChunks: number;
  readonly parityChunks: number;
  readonly minChargeSize: number;
  /** Bytes. */
  readonly maxPayloadSize: number;
}

export interface Account {
  readonly address: string;
  readonly accountNumber: number;
  readonly sequence: number;
}

/** Numbers of `permission.ActionType` (protocols/greenfield/README.md#rpc-of-a-node). */
export const Action = { CREATE_OBJECT: 3, GET_OBJECT: 6, UPDATE_OBJECT_CONTENT: 14 } as const;
export type ActionType = (typeof Action)[keyof typeof Action];
