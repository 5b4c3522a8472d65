/** Chunks kept for the next: as many as some puts at a time have in flight. */
const KEPT = 16;

/**
 * Memory for chunks on their way to the store, used again: fresh memory has to be cleared and collected, and a megabyte of
 * it takes as long as the copy that fills it.
 */
export class ChunkMemory {
  readonly #free: Uint8Array[] = [];

  /** Memory of so many bytes, not cleared. */
  take(size: number): Uint8Array {
    const chunk = this.#free.pop();
    return chunk?.length === size ? chunk : Buffer.allocUnsafeSlow(size);
  }

  /** Memory that nobody uses any more; what is not given back is collected as any other. */
  giveBack(chunks: readonly Uint8Array[]): void {
    this.#free.push(...chunks.slice(0, KEPT - this.#free.length));
  }
}
