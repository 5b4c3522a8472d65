import type { ReedSolomon } from '#protocols/erasure/reed-solomon';
import type { JobContext } from '#protocols/job/context';
import { segmentKey } from '#protocols/payload/keys';
import type { PayloadPlan } from '#protocols/payload/plan';
import type { ByteBudget } from '#runtime/async/byte-budget';
import type { ReusedMemory } from '#runtime/async/reused-memory';
import { nextTurn } from '#runtime/async/turns';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { readDataShards } from './data-shards.ts';

/**
 * Reads or computes one piece of one segment, for one column. A data shard is a range of the segment and is only read;
 * a parity shard needs the whole segment in memory for a moment. With EC the piece is its reader's own, and it may give
 * its memory back. As in `readDataShards`, the receiver compares the bytes with the chain's checksums.
 */
export async function readShard(
  from: {
    readonly context: JobContext;
    readonly pieces: PieceStore;
    readonly memory: ByteBudget;
    readonly shardMemory: ReusedMemory;
    readonly plan: PayloadPlan;
    readonly code: ReedSolomon;
  },
  segmentIndex: number,
  redundancyIndex: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { pieces, code, plan, memory, shardMemory } = from;
  const key = segmentKey(from.context.id, segmentIndex);
  const { length } = plan.segment(segmentIndex);
  const shardLength = code.shardLength(length);
  // With REPLICA every piece is the one data shard.
  const index = code.dataShards === 1 ? 0 : redundancyIndex;
  const isParity = index >= code.dataShards;
  const release = await memory.acquire(isParity ? shardLength * plan.columnCount : shardLength, signal);
  try {
    if (isParity) {
      const data = await readDataShards(pieces, key, length, code, shardMemory, signal);
      const shards = await code.completeInTurns(data, nextTurn, (bytes) => shardMemory.take(bytes));
      shardMemory.giveBack(shards.filter((_, other) => other !== index));
      return shards[index] as Uint8Array;
    }
    const shard = shardMemory.take(shardLength);
    const offset = index * shardLength;
    const available = Math.max(0, Math.min(shardLength, length - offset));
    let filled = 0;
    if (available > 0) {
      for await (const chunk of pieces.read(key, { offset, length: available, signal, unchecked: true })) {
        shard.set(chunk, filled);
        filled += chunk.length;
      }
    }
    return shard.fill(0, filled);
  } finally {
    release();
  }
}
