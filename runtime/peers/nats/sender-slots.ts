import { type Deferred, deferred } from '@nats-io/nats-core';
import { orAborted } from '../../async/or-aborted.ts';

/** Share of all slots that one sender may hold. */
const SHARE = 1 / 4;

/**
 * Slots for messages of other SPs that are processed concurrently. One sender has at most its share, and a sender
 * that holds none gets one even when all are taken, so that no sender, nor several together, can exclude another.
 * Thus at most the limit plus one per sender are in use.
 */
export class SenderSlots {
  readonly limit: number;
  readonly #share: number;
  readonly #held = new Map<number, number>();
  #inAll = 0;
  #freed: Deferred<void> = deferred();

  constructor(limit: number) {
    this.limit = limit;
    this.#share = Math.max(1, Math.floor(limit * SHARE));
  }

  /** Slots that are held. */
  get used(): number {
    return this.#inAll;
  }

  /** Waits until the sender may hold one more slot. Rejects when the signal fires. */
  async untilFree(sender: number, signal: AbortSignal): Promise<void> {
    while (!this.hasFree(sender)) await orAborted(this.#freed, signal);
  }

  hasFree(sender: number): boolean {
    const held = this.#held.get(sender) ?? 0;
    return held === 0 || (held < this.#share && this.#inAll < this.limit);
  }

  take(sender: number): void {
    this.#held.set(sender, (this.#held.get(sender) ?? 0) + 1);
    this.#inAll += 1;
  }

  release(sender: number): void {
    const left = (this.#held.get(sender) ?? 1) - 1;
    if (left > 0) this.#held.set(sender, left);
    else this.#held.delete(sender);
    this.#inAll -= 1;
    this.#freed.resolve();
    this.#freed = deferred();
  }
}
