/** A number that only increases, and lets readers wait until it exceeds theirs. */
export class Watermark {
  #value: number;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(value: number) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  advance(to: number): void {
    this.#value = to;
    this.#wake();
  }

  /** Ends all waits for good. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** True when the value is above `position`; false when the signal fired or the watermark was closed first. */
  async above(position: number, signal: AbortSignal): Promise<boolean> {
    while (!this.#closed && !signal.aborted) {
      if (this.#value > position) return true;
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    return false;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
