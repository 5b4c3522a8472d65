/** A counting semaphore for one waiting taker. */
export class Semaphore {
  #free: number;
  #wake: (() => void) | undefined;

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Takes a slot, and waits while none is free. @returns false when the signal fired first. Only one caller may wait at
   * a time
   */
  async take(signal: AbortSignal): Promise<boolean> {
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

  give(): void {
    this.#free++;
    this.#wake?.();
  }
}
