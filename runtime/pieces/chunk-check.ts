import { createHash, type Hash } from 'node:crypto';
import type { Lent } from './shared-chunks.ts';

/** The state of a hash before the first byte: one object, so that readers know it as the same. Never updated. */
const NOTHING_HASHED = createHash('sha256');

/**
 * The checksum of a piece that is read from its begin, chunk by chunk. Many may read the same chunks: who comes first
 * hashes each, and the others take the result, as far as it follows from the same bytes before.
 */
export class ChunkCheck {
  #before = NOTHING_HASHED;
  #after = NOTHING_HASHED;
  #chunk: Lent | undefined;

  /** The next chunk, of which all bytes will be handed out. */
  next(chunk: Lent): void {
    this.#before = this.#after;
    this.#after = hashed(this.#before, chunk);
    this.#chunk = chunk;
  }

  /** The same chunk again, perhaps read anew. @returns whether it has the same bytes */
  again(chunk: Lent): boolean {
    if (chunk === this.#chunk) return true;
    this.#chunk = chunk;
    return digest(hashed(this.#before, chunk)) === digest(this.#after);
  }

  /** SHA-256 of the chunks up to now, hex. */
  checksum(): string {
    return digest(this.#after);
  }
}

function hashed(before: Hash, chunk: Lent): Hash {
  if (chunk.hashed?.from === before) return chunk.hashed.to;
  chunk.hashed = { from: before, to: before.copy().update(chunk.bytes) };
  return chunk.hashed.to;
}

function digest(hash: Hash): string {
  return hash.copy().digest('hex');
}
