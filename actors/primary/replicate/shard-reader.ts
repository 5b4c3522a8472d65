import type { ReedSolomon } from '#protocols/erasure/reed-solomon';
import type { JobContext } from '#protocols/job/context';
import { segmentKey } from '#protocols/payload/keys';
import type { PayloadPlan } from '#protocols/payload/plan';
import type { ByteBudget } from '#runtime/async/byte-budget';
import type { PieceStore } from '#runtime/pieces/piece-store';

/**
 * Reads or computes one piece of one segment, for one column. A data shard is a range of the segment and is only read;
 * a parity shard needs the whole segment in memory for a moment.
 */
export async function readShard(
  from: {
    readonly context: JobContext;
    readonly pieces: PieceStore;
    readonly memory: ByteBudget;
    readonly plan: PayloadPlan;
    readonly code: ReedSolomon;
  },
  segmentIndex: number,
  redundancyIndex: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { pieces, code } = from;
  const key = segmentKey(from.context.id, segmentIndex);
  const segment = from.plan.segment(segmentIndex);
  const release = await from.memory.acquire(segment.length, signal);
  try {
    if (redundancyIndex >= code.dataShards) {
      return code.shard(await pieces.get(key, { signal }), redundancyIndex);
    }
    const shard = new Uint8Array(code.shardLength(segment.length));
    const offset = redundancyIndex * shard.length;
    const length = Math.min(shard.length, segment.length - offset);
    let filled = 0;
    if (length > 0) {
      for await (const chunk of pieces.read(key, { offset, length, signal })) {
        shard.set(chunk, filled);
        filled += chunk.length;
      }
    }
    return shard;
  } finally {
    release();
  }
}
