import { createHash } from 'node:crypto';
import { Terminal } from '../errors.ts';
import { fromHex } from '../greenfield/hex.ts';
import type { Hex } from '../greenfield/types.ts';

const SHA256_BYTES = 32;
/** Index of the primary where the secondaries have 0, 1, … (protocols/job/README.md#tables-of-todays-provider). */
export const PRIMARY = -1;
const GATEWAY_INTEGRITY_PRIMARY = 110004;
const GATEWAY_INTEGRITY_SECONDARY = 80004;

/** Checksum of a segment or a piece: SHA-256 of its bytes (protocols/integrity/README.md#hashing). */
export function checksum(bytes: Uint8Array): Hex {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * Integrity hash of one role: SHA-256 over its raw piece checksums, in segment order (protocols/integrity/README.md#hashing).
 * @throws Terminal `bad-hex` when one is not a SHA-256
 */
export function integrityHash(checksums: Iterable<Hex>): Hex {
  const hash = createHash('sha256');
  for (const one of checksums) hash.update(fromHex(one, SHA256_BYTES));
  return hash.digest('hex');
}

/**
 * The hash of all roles' integrity hashes, primary first, that goes into the BLS document (protocols/sealing/README.md#what-secondaries-sign).
 * The same construction as `integrityHash`, one level up.
 */
export function generateHash(expectChecksums: readonly Hex[]): Hex {
  return integrityHash(expectChecksums);
}

/**
 * The integrity hash of one role, checked against the object's checksums on chain.
 * @param redundancyIndex `PRIMARY`, or the index of a secondary
 * @param pieceChecksums in segment order
 * @param expectChecksums primary first; empty for a delegated upload, where nothing is checked
 * @throws Terminal `integrity-mismatch`
 */
export function checkIntegrity(
  redundancyIndex: number,
  pieceChecksums: readonly Hex[],
  expectChecksums: readonly Hex[],
): Hex {
  const found = integrityHash(pieceChecksums);
  if (expectChecksums.length === 0) return found;
  const expected = expectChecksums[redundancyIndex + 1];
  if (found === expected) return found;
  const role = redundancyIndex === PRIMARY ? 'the payload' : `column ${redundancyIndex}`;
  throw new Terminal({
    code: 'integrity-mismatch',
    message: `The integrity hash of ${role} is ${found}, the chain expects ${expected ?? 'no such column'}.`,
    advice:
      'Compute expect_checksums from the very bytes that are uploaded, with the chain’s current parameters.',
    gatewayCode: redundancyIndex === PRIMARY ? GATEWAY_INTEGRITY_PRIMARY : GATEWAY_INTEGRITY_SECONDARY,
  });
}
