import { hexToBase64 } from '../greenfield/hex.ts';
import { keccak256 } from '../greenfield/keccak.ts';
import { sortedJson } from '../greenfield/sorted-json.ts';
import type { Hex } from '../greenfield/types.ts';
import { generateHash } from '../integrity/checksums.ts';

/** What all secondaries of a group sign with their BLS keys, each the same bytes (protocols/sealing/README.md#what-secondaries-sign). */
export interface SealDocument {
  readonly chainId: string;
  readonly gvgId: number;
  readonly objectId: string;
  /** The seven integrity hashes, primary first. */
  readonly checksums: readonly Hex[];
}

/** The 32-byte BLS message of a `SecondarySpSealObjectSignDoc`. @throws Terminal `bad-hex` */
export function sealDigest(document: SealDocument): Uint8Array {
  return keccak256(
    sortedJson({
      chain_id: document.chainId,
      global_virtual_group_id: document.gvgId,
      object_id: document.objectId,
      checksum: hexToBase64(generateHash(document.checksums)),
    }),
  );
}
