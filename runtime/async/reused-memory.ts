import type { Sizes } from '../telemetry/sizes.ts';

/** Below this length new memory costs little, bytes. */
const SMALLEST = 64 * 1024;
/** What nobody has taken for this time is left to the garbage collector, ms. */
const IDLE_MS = 10_000;

interface Kept {
  readonly memory: Uint8Array;
  /** On the monotonic clock. */
  readonly since: number;
}

/**
 * Memory that is used again: new memory has to be mapped and collected, which takes as long as the copy that fills it, and
 * the collector stops the event loop. Who takes memory owns it, and may give it back once nobody else can reach it; what is
 * not given back is collected as any other.
 */
export class ReusedMemory {
  readonly #limit: number;
  /** The last is taken first, so that what is not needed stays at the begin. */
  #free: Kept[] = [];
  #kept = 0;
  #idle: NodeJS.Timeout | undefined;

  /** @param limit bytes that are kept for the next use; for more, what has been kept longest is collected */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Shows how much is kept. */
  watch(sizes: Sizes, cache: string): void {
    sizes.watchCache({ cache, unit: 'bytes', limit: this.#limit, size: () => this.#kept });
  }

  /** Memory of exactly this many bytes, with any content. */
  take(length: number): Uint8Array {
    const at = this.#free.findLastIndex(({ memory }) => memory.length === length);
    const [found] = at < 0 ? [] : this.#free.splice(at, 1);
    if (!found) return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
    this.#kept -= length;
    return found.memory;
  }

  /** Only for what was taken here or has a buffer of its own, and what nobody uses any more. */
  giveBack(memories: readonly Uint8Array[]): void {
    const since = performance.now();
    for (const memory of memories) {
      if (memory.length < SMALLEST || memory.length > this.#limit) continue;
      this.#free.push({ memory, since });
      this.#kept += memory.length;
    }
    this.#drop(() => this.#kept > this.#limit);
    this.#idle ??= setTimeout(() => this.#dropIdle(), IDLE_MS).unref();
  }

  #dropIdle(): void {
    const before = performance.now() - IDLE_MS;
    this.#drop(({ since }) => since <= before);
    this.#idle = this.#free.length > 0 ? setTimeout(() => this.#dropIdle(), IDLE_MS).unref() : undefined;
  }

  /** Leaves those at the begin to the collector, as long as they are too many or too old. */
  #drop(isOver: (kept: Kept) => boolean): void {
    const from = this.#free.findIndex((kept) => {
      if (!isOver(kept)) return true;
      this.#kept -= kept.memory.length;
      return false;
    });
    this.#free.splice(0, from < 0 ? this.#free.length : from);
  }
}
