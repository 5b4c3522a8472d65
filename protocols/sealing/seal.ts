import { Terminal } from '../errors.ts';
import {
  type BlsSigned,
  blsAggregate,
  blsVerify,
  blsVerifyAggregate,
  blsVerifyAll,
} from '../greenfield/bls.ts';
import { fromHex, toHex } from '../greenfield/hex.ts';
import type { Message } from '../greenfield/messages.ts';
import type { GlobalVirtualGroup, Hex } from '../greenfield/types.ts';
import type { Receipt } from '../job/context.ts';
import { type SealDocument, sealDigest } from './seal-document.ts';

/** What a secondary is to have signed, by which BLS key (48 bytes), and its signature (96 bytes). */
export interface SealSignature {
  readonly document: SealDocument;
  readonly blsKey: Hex;
  readonly signature: Hex;
}

/** True when the holder of the key signed the document. Malformed hex and bytes are false. */
export function verifySealSignature(seal: SealSignature): boolean {
  return verifies(() => {
    const { message, publicKey, signature } = signedBytes(seal);
    return blsVerify(message, publicKey, signature);
  });
}

/** `verifySealSignature` of each. All are checked at once, and one by one only where one of them is wrong. */
export function verifySealSignatures(seals: readonly SealSignature[]): readonly boolean[] {
  const all = seals.length > 1 && verifies(() => blsVerifyAll(seals.map(signedBytes)));
  return all ? seals.map(() => true) : seals.map(verifySealSignature);
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
 * Adds the receipts' BLS signatures up, one of each member of the group, in the group's order; they were verified when
 * they came. There is no seal with fewer: the chain checks against the keys of all members.
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
  return toHex(blsAggregate(signatures, { verified: true }));
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

function signedBytes({ document, blsKey, signature }: SealSignature): BlsSigned {
  return { message: sealDigest(document), publicKey: fromHex(blsKey), signature: fromHex(signature) };
}

function verifies(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}
