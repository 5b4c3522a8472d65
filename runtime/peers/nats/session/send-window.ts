import { deferred } from '@nats-io/nats-core';

/**
 * Bytes on their way to one SP over all streams to it: sent, and not yet reported as consumed. Streams get their
 * turn in the order in which they asked, so that one SP that reads nothing can hold up only itself.
 */
export class SendWindow {
  readonly #limit: number;
  readonly #queue: { readonly bytes: number; readonly enter: () => void }[] = [];
  #inFlight = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /**
   * Waits until so many bytes (at most the limit) fit, and takes their room.
   * @throws the signal's reason; then nothing was taken
   */
  enter(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const entered = deferred<void>();
    const leave = () => {
      this.#queue.splice(this.#queue.indexOf(waiter), 1);
      entered.reject(signal.reason);
      this.#admit();
    };
    const waiter = {
      bytes,
      enter: () => {
        signal.removeEventListener('abort', leave);
        entered.resolve();
      },
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#queue.push(waiter);
    this.#admit();
    return entered;
  }

  /** Gives room back. */
  release(bytes: number): void {
    this.#inFlight -= bytes;
    this.#admit();
  }

  #admit(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      if (this.#inFlight + next.bytes > this.#limit) return;
      this.#queue.shift();
      this.#inFlight += next.bytes;
      next.enter();
    }
  }
}
