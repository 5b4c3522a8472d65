import type { Sizes } from '../telemetry/sizes.ts';

/** Below this length new memory costs little, bytes. */
const SMALLEST = 64 * 1024;
/** After this time without a use, all is left to the garbage collector, ms. */
const IDLE_MS = 10_000;

/**
 * Memory that is used again: new memory has to be mapped and collected, which takes as long as the copy that fills it, and
 * the collector stops the event loop. Who takes memory owns it, and may give it back once nobody else can reach it; what is
 * not given back is collected as any other.
 */
export class ReusedMemory {
  readonly #limit: number;
  #free: Uint8Array[] = [];
  #kept = 0;
  #idle: NodeJS.Timeout | undefined;

  /** @param limit bytes that are kept for the next use; what is given back beyond that is collected */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Shows how much is kept. */
  watch(sizes: Sizes, cache: string): void {
    sizes.watchCache({ cache, unit: 'bytes', limit: this.#limit, size: () => this.#kept });
  }

  /** Memory of exactly this many bytes, with any content. */
  take(length: number): Uint8Array {
    const at = this.#free.findLastIndex((memory) => memory.length === length);
    if (at < 0) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    this.#kept -= length;
    return this.#free.splice(at, 1)[0] as Uint8Array;
  }

  /** Only for what was taken here or has a buffer of its own, and what nobody uses any more. */
  giveBack(memories: readonly Uint8Array[]): void {
    for (const memory of memories) {
      if (memory.length < SMALLEST || this.#kept + memory.length > this.#limit) continue;
      this.#free.push(memory);
      this.#kept += memory.length;
    }
    this.#idle ??= setTimeout(() => this.#drop(), IDLE_MS).unref();
    this.#idle.refresh();
  }

  #drop(): void {
    this.#free = [];
    this.#kept = 0;
  }
}
