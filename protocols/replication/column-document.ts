import { hexToBase64 } from '../greenfield/hex.ts';
import { keccak256 } from '../greenfield/keccak.ts';
import { sortedJson } from '../greenfield/sorted-json.ts';
import type { Hex } from '../greenfield/types.ts';

/**
 * What a secondary signs with its approval key for the column that it stores (protocols/replication/README.md#the-secondarys-signature). The object id
 * is in it so that no signature is good for another object of equal content.
 */
export interface ColumnDocument {
  /** The secondary's operator address, EIP-55. */
  readonly operatorAddress: string;
  readonly objectId: string;
  /** Of the column. */
  readonly integrityHash: Hex;
}

/** The 32 bytes that are signed of a `SecondarySpSignDoc`. @throws Terminal `bad-hex` */
export function columnDigest(document: ColumnDocument): Uint8Array {
  return keccak256(
    sortedJson({
      sp_address: document.operatorAddress,
      object_id: document.objectId,
      checksum: hexToBase64(document.integrityHash),
    }),
  );
}
