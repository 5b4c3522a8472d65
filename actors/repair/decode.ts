import type { ReedSolomon } from '#protocols/erasure/reed-solomon';
import type { Hex } from '#protocols/greenfield/types';
import { checksum } from '#protocols/integrity/checksums';

/**
 * Decodes a segment from shards. A shard from another SP may be wrong, so every sufficient combination that
 * contains the newest shard is tried; the others were tried before.
 * @param shards by index
 * @param expected checksum of the segment; without it the shards themselves have been verified
 * @returns undefined when no combination gives a segment with that checksum
 */
export function decodeSegment(
  code: ReedSolomon,
  shards: ReadonlyMap<number, Uint8Array>,
  newest: number,
  { length, expected }: { readonly length: number; readonly expected: Hex | undefined },
): Uint8Array | undefined {
  const others = [...shards.keys()].filter((index) => index !== newest);
  for (const chosen of choices(others, code.dataShards - 1)) {
    const places = Array.from({ length: code.dataShards + code.parityShards }, (_, index) =>
      index === newest || chosen.includes(index) ? shards.get(index) : undefined,
    );
    const segment = code.reconstruct(places, length);
    if (expected === undefined || checksum(segment) === expected) return segment;
  }
  return undefined;
}

/** All choices of `count` items. */
function* choices(items: readonly number[], count: number): Generator<readonly number[]> {
  if (count === 0) yield [];
  if (count === 0) return;
  for (const [at, item] of items.entries()) {
    for (const rest of choices(items.slice(at + 1), count - 1)) yield [item, ...rest];
  }
}
