import { throwIfAborted, toSealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { PrimaryPorts } from '../ports.ts';
import { type ChainStatus, chainStatusOf } from '../seal/chain-status.ts';

/** The state of a recovered job outside of its journal. */
export type Findings = ChainStatus | { readonly kind: 'payload-lost'; readonly why: string };

/**
 * Checks whether the chain has ended the job in the meantime, and whether the acknowledged segments still exist
 * (ARCHITECTURE.md#what-an-acknowledgement-is-worth).
 */
export async function recoveryCheck(
  context: JobContext,
  { chain, pieces }: Pick<PrimaryPorts, 'chain' | 'pieces'>,
  signal: AbortSignal,
): Promise<Findings> {
  const status = await chainStatusOf(context, chain, signal);
  if (status.kind !== 'open') return status;
  const checksums = needsPayload(context) ? (context.payload?.segmentChecksums ?? []) : [];
  const why = await missingSegment(context.id, checksums, pieces, signal);
  return why === undefined ? status : { kind: 'payload-lost', why };
}

/** True until all secondaries have their columns, and again when the columns must go to another group. */
function needsPayload({ state, failure }: JobContext): boolean {
  switch (state) {
    case 'REPLICATE_OBJECT_DONE':
    case 'SIGN_OBJECT_DOING':
    case 'SIGN_OBJECT_DONE':
    case 'SIGN_OBJECT_ERROR':
    case 'SEAL_OBJECT_DOING':
      return false;
    case 'SEAL_OBJECT_ERROR':
      return failure?.resume === 'ALLOC_SECONDARY_DOING';
    default:
      return true;
  }
}

/**
 * Describes the first segment that the PieceStore does not hold as the journal states; undefined when all are present.
 */
export async function missingSegment(
  job: JobId,
  checksums: readonly Hex[],
  pieces: PieceStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const [index, checksum] of checksums.entries()) {
    throwIfAborted(signal);
    const stored = await pieces.stat(segmentKey(job, index), { signal });
    if (!stored) return `segment ${index} is missing`;
    if (stored.checksum !== checksum) return `segment ${index} holds other bytes`;
  }
  return undefined;
}

/** Codes of the PieceStore for a missing or damaged piece. */
const DAMAGED = new Set(['piece-missing', 'piece-corrupt']);

/** As `missingSegment`, but reads every byte. */
export async function damagedSegment(
  context: JobContext,
  pieces: PieceStore,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { segmentChecksums: checksums = [] } = context.payload ?? {};
  const missing = await missingSegment(context.id, checksums, pieces, signal);
  if (missing !== undefined) return missing;
  for (const index of checksums.keys()) {
    try {
      for await (const _ of pieces.read(segmentKey(context.id, index), { signal })) throwIfAborted(signal);
    } catch (thrown) {
      const error = toSealionError(thrown);
      if (DAMAGED.has(error.code)) return `segment ${index} is damaged: ${error.message}`;
      throw error;
    }
  }
  return undefined;
}
