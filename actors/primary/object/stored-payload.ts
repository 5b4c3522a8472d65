import type { Hex } from '#protocols/greenfield/types';
import { expectChecksums } from '#protocols/integrity/expect-checksums';
import { isDelegated } from '#protocols/job/checksums';
import type { JobContext } from '#protocols/job/context';
import { segmentKey } from '#protocols/payload/keys';
import { planPayload } from '#protocols/payload/plan';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { PrimaryPorts } from '../ports.ts';
import { weight } from '../replicate/encoder.ts';
import { missingSegment } from './recovery-check.ts';

/** A payload of which all segments are durably stored, or what is missing. */
export type StoredPayload =
  | {
      /** In order. */
      readonly segmentChecksums: readonly Hex[];
      /** The seven integrity hashes, where the chain has none (a delegated upload). */
      readonly checksums?: readonly Hex[];
    }
  | { readonly lost: string };

/**
 * Collects what the job needs to know of a payload once its last segment is stored. Parts may have been stored long
 * ago, by a node that has crashed since, so their segments are checked. A delegated upload is encoded to get its
 * checksums.
 */
export async function inspectPayload(
  context: JobContext,
  segmentChecksums: readonly Hex[],
  { pieces, memory }: Pick<PrimaryPorts, 'pieces' | 'memory'>,
  signal: AbortSignal,
): Promise<StoredPayload> {
  const earlier = context.storedSegments ? segmentChecksums : [];
  const lost = await missingSegment(context.id, earlier, pieces, signal);
  if (lost !== undefined) return { lost };
  if (!isDelegated(context)) return { segmentChecksums };
  const plan = planPayload(context.object);
  const release = await memory.acquire(weight(plan, 0), signal);
  try {
    const checksums = await expectChecksums(readAll(context, pieces, signal), plan, { signal });
    return { segmentChecksums, checksums };
  } finally {
    release();
  }
}

async function* readAll(
  { id, object }: JobContext,
  pieces: PieceStore,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { segmentCount } = planPayload(object);
  for (let index = 0; index < segmentCount; index += 1) {
    yield* pieces.read(segmentKey(id, index), { signal });
  }
}
