import { deferred } from '@nats-io/nats-core';

/**
 * Limits the bytes in flight to one SP, over all streams to it: sent by us, and not yet reported as consumed by the
 * receiver. (`OutboundStream` calls `enter` before it sends a message, and `release` for the bytes that a credit
 * message reports as consumed.) Credit says how much the receiver has room for; this window says how much we are
 * willing to have in flight.
 *
 * Waiters are admitted strictly in order: a large message at the head is not overtaken by smaller ones, which could
 * delay it forever. Each SP has a window of its own, so an SP that reads nothing delays only its own streams.
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
   * Waits until this many bytes (at most the limit) fit, and reserves them.
   * @throws the signal's reason; nothing is reserved then
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

  /** Releases reserved bytes. */
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
