import type { Message } from '#protocols/greenfield/messages';
import type { Hex, Redundancy, Visibility } from '#protocols/greenfield/types';

export interface NewBucket {
  readonly bucketName: string;
  /** Operator address of the SP that is to serve it. */
  readonly primarySpAddress: string;
  readonly familyId: number;
  /** Private by default. */
  readonly visibility?: Visibility;
}

export interface NewObject {
  readonly bucketName: string;
  readonly objectName: string;
  /** Bytes. */
  readonly payloadSize: number;
  /** Seven integrity hashes, primary first. */
  readonly checksums: readonly Hex[];
  readonly contentType?: string;
  /** By default that of its bucket. */
  readonly visibility?: Visibility;
  readonly redundancy?: Redundancy;
}

/** New content of a sealed object. */
export type NewContent = Omit<NewObject, 'visibility' | 'redundancy'>;

/** @param creator address of the owner */
export function createBucketMessage(creator: string, bucket: NewBucket): Message {
  return {
    typeUrl: '/greenfield.storage.MsgCreateBucket',
    value: {
      creator,
      bucketName: bucket.bucketName,
      visibility: bucket.visibility ?? 'PRIVATE',
      paymentAddress: '',
      primarySpAddress: bucket.primarySpAddress,
      primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: bucket.familyId, sig: '' },
      chargedReadQuota: 0n,
    },
  };
}

export function createObjectMessage(creator: string, object: NewObject): Message {
  return {
    typeUrl: '/greenfield.storage.MsgCreateObject',
    value: {
      creator,
      bucketName: object.bucketName,
      objectName: object.objectName,
      payloadSize: BigInt(object.payloadSize),
      visibility: object.visibility ?? 'INHERIT',
      contentType: object.contentType ?? 'application/octet-stream',
      primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 0, sig: '' },
      expectChecksums: object.checksums,
      redundancyType: object.redundancy ?? 'EC',
    },
  };
}

export function updateObjectMessage(operator: string, object: NewContent): Message {
  return {
    typeUrl: '/greenfield.storage.MsgUpdateObjectContent',
    value: {
      operator,
      bucketName: object.bucketName,
      objectName: object.objectName,
      payloadSize: BigInt(object.payloadSize),
      contentType: object.contentType ?? 'application/octet-stream',
      expectChecksums: object.checksums,
    },
  };
}
