import type { Message } from '#protocols/greenfield/messages';
import type { Hex } from '#protocols/greenfield/types';
import { sealMessage } from '#protocols/sealing/seal';
import type { Announcement } from '../messages.ts';

/**
 * What a key of the SP is asked to sign (protocols/sealing/README.md#messages): seals and rejects by the seal key,
 * announcements for clients by the operator key. Plain JSON.
 */
export type SigningOrder = SealOrder | RejectOrder | Announcement;

export interface SealOrder {
  readonly kind: 'seal';
  readonly bucketName: string;
  readonly objectName: string;
  readonly gvgId: number;
  /** 96 bytes: the six secondaries' signatures, aggregated in the group's order. */
  readonly aggregateSignature: Hex;
  /** The seven integrity hashes, primary first. */
  readonly checksums: readonly Hex[];
  /** True for a seal that must not share its transaction, because a seal of the object has failed before. */
  readonly alone?: boolean;
}

export interface RejectOrder {
  readonly kind: 'reject';
  readonly bucketName: string;
  readonly objectName: string;
}

/** The chain message for an order. @param operator the account that signs it */
export function messageOf(order: SigningOrder, operator: string): Message {
  const { bucketName, objectName } = order;
  switch (order.kind) {
    case 'seal':
      return sealMessage({
        sealAddress: operator,
        bucketName,
        objectName,
        gvgId: order.gvgId,
        aggregate: order.aggregateSignature,
        checksums: order.checksums,
      });
    case 'reject':
      return {
        typeUrl: '/greenfield.storage.MsgRejectSealObject',
        value: { operator, bucketName, objectName },
      };
    case 'create-object': {
      const { creator, contentType, visibility } = order;
      const payloadSize = BigInt(order.payloadSize);
      const content = { bucketName, objectName, payloadSize, contentType, visibility };
      return {
        typeUrl: '/greenfield.storage.MsgDelegateCreateObject',
        value: { operator, creator, ...content, expectChecksums: [], redundancyType: 'EC' },
      };
    }
    case 'update-object': {
      const { updater, contentType } = order;
      const content = { bucketName, objectName, payloadSize: BigInt(order.payloadSize), contentType };
      return {
        typeUrl: '/greenfield.storage.MsgDelegateUpdateObjectContent',
        value: { operator, updater, ...content, expectChecksums: [] },
      };
    }
  }
}
