import type { ReedSolomon } from '#protocols/erasure/reed-solomon';
import { Retryable } from '#protocols/errors';
import type { ReusedMemory } from '#runtime/async/reused-memory';
import type { PieceStore } from '#runtime/pieces/piece-store';

/**
 * Reads the data shards of a stored segment, padded with zeros. Each has a buffer of its own, so that one can be passed
 * on without a copy and without keeping the others. The bytes are not compared with the segment's checksum, since every
 * receiver of a column compares it with the chain's.
 * @param length of the segment, bytes
 * @param memory for the shards
 * @throws as `PieceStore.read`; Retryable `piece-corrupt` when the segment has another length
 */
export async function readDataShards(
  pieces: PieceStore,
  key: string,
  length: number,
  code: ReedSolomon,
  memory: ReusedMemory,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const shardLength = code.shardLength(length);
  const shards = Array.from({ length: code.dataShards }, (_, index) => {
    return memory.take(shardLength).fill(0, Math.max(0, Math.min(shardLength, length - index * shardLength)));
  });
  let at = 0;
  for await (const chunk of pieces.read(key, { signal, unchecked: true })) {
    for (let from = 0; from < chunk.length; ) {
      const within = at % shardLength;
      const part = chunk.subarray(from, from + shardLength - within);
      shards[Math.floor(at / shardLength)]?.set(part, within);
      from += part.length;
      at += part.length;
    }
  }
  if (at === length) return shards;
  throw new Retryable({
    code: 'piece-corrupt',
    message: `The stored segment ${key} has ${at} bytes, not ${length}.`,
    advice: 'Run "sealion verify --repair" for the object.',
  });
}
