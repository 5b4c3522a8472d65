import { Terminal } from '../errors.ts';
import { blsAggregate, blsVerify, blsVerifyAggregate } from '../greenfield/bls.ts';
import { fromHex, toHex } from '../greenfield/hex.ts';
import type { Message } from '../greenfield/messages.ts';
import type { GlobalVirtualGroup, Hex } from '../greenfield/types.ts';
import type { Receipt } from '../job/context.ts';
import { type SealDocument, sealDigest } from './seal-document.ts';

/** True when the holder of a BLS key (48 bytes) signed the document. Malformed hex and bytes are false. */
export function verifySealSignature(document: SealDocument, blsKey: Hex, signature: Hex): boolean {
  return verifies(() => blsVerify(sealDigest(document), fromHex(blsKey), fromHex(signature)));
}

/** True when every one of the keys signed the document: the check that the chain makes of a seal. */
export function verifySealAggregate(
  document: SealDocument,
  blsKeys: readonly Hex[],
  aggregate: Hex,
): boolean {
  const keys = () => blsKeys.map((key) => fromHex(key));
  return verifies(() => blsVerifyAggregate(sealDigest(document), keys(), fromHex(aggregate)));
}

/**
 * Adds the receipts' BLS signatures up, one of each member of the group, in the group's order. There is no seal
 * with fewer: the chain checks against the keys of all members.
 * @throws Terminal `receipts-incomplete`, `bad-bls-signature`
 */
export function aggregateReceipts(
  gvg: Pick<GlobalVirtualGroup, 'id' | 'secondarySpIds'>,
  receipts: Readonly<Record<number, Receipt>>,
): Hex {
  const signatures = gvg.secondarySpIds.map((spId, redundancyIndex) => {
    const receipt = receipts[redundancyIndex];
    if (receipt?.spId === spId && receipt.gvgId === gvg.id) return fromHex(receipt.blsSignature);
    throw new Terminal({
      code: 'receipts-incomplete',
      message: `The receipt of storage provider ${spId} for index ${redundancyIndex} of group ${gvg.id} is missing.`,
      advice: 'Replicate that column first; receipts of another group do not count.',
    });
  });
  return toHex(blsAggregate(signatures));
}

export interface SealRequest {
  /** The primary's seal address. */
  readonly sealAddress: string;
  readonly bucketName: string;
  readonly objectName: string;
  readonly gvgId: number;
  /** 96 bytes, of `aggregateReceipts`. */
  readonly aggregate: Hex;
  /** The seven integrity hashes, primary first. */
  readonly checksums: readonly Hex[];
}

/**
 * MsgSealObjectV2, for every kind of upload (protocols/sealing/README.md#messages). The chain reads its checksums only where it has none
 * itself; that can be so for an update whose object it would refuse otherwise: of a sealed empty object or folder, 1130.
 * Found on a real node to be accepted for EC and REPLICA, for new objects, updates and delegated uploads.
 */
export function sealMessage(request: SealRequest): Message {
  return {
    typeUrl: '/greenfield.storage.MsgSealObjectV2',
    value: {
      operator: request.sealAddress,
      bucketName: request.bucketName,
      objectName: request.objectName,
      globalVirtualGroupId: request.gvgId,
      secondarySpBlsAggSignatures: request.aggregate,
      expectChecksums: request.checksums,
    },
  };
}

function verifies(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
