/** A counting semaphore for which only one caller may wait at a time. */
export class Semaphore {
  readonly count: number;
  #free: number;
  #wake: (() => void) | undefined;

  constructor(count: number) {
    this.count = count;
    this.#free = count;
  }

  /** Slots that are occupied. */
  get used(): number {
    return this.count - this.#free;
  }

  /**
   * Waits for a free slot and occupies it.
   * @returns false when the signal fired first
   */
  async acquire(signal: AbortSignal): Promise<boolean> {
    while (this.#free <= 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    if (signal.aborted) return false;
    this.#free--;
    return true;
  }

  /** Frees a slot. */
  release(): void {
    this.#free++;
    this.#wake?.();
  }
}
