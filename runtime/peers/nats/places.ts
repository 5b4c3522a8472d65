import { type Deferred, deferred } from '@nats-io/nats-core';
import { orAborted } from '../../async/or-aborted.ts';

/** Part of all places that one sender may hold. */
const SHARE = 1 / 4;

/**
 * Places for what SPs send us, and we work on at one time. One sender has at most its share, and whoever holds none has one, even
 * when all are taken: no one sender, nor several together, can keep another out. So there are never more in use than
 * the limit and one for each sender.
 */
export class Places {
  readonly #limit: number;
  readonly #share: number;
  readonly #held = new Map<number, number>();
  #inAll = 0;
  #freed: Deferred<void> = deferred();

  constructor(limit: number) {
    this.#limit = limit;
    this.#share = Math.max(1, Math.floor(limit * SHARE));
  }

  /** Waits until the sender may hold one more. Rejects when the signal fires. */
  async room(sender: number, signal: AbortSignal): Promise<void> {
    while (!this.hasRoom(sender)) await orAborted(this.#freed, signal);
  }

  hasRoom(sender: number): boolean {
    const held = this.#held.get(sender) ?? 0;
    return held === 0 || (held < this.#share && this.#inAll < this.#limit);
  }

  take(sender: number): void {
    this.#held.set(sender, (this.#held.get(sender) ?? 0) + 1);
    this.#inAll += 1;
  }

  give(sender: number): void {
    const left = (this.#held.get(sender) ?? 1) - 1;
    if (left > 0) this.#held.set(sender, left);
    else this.#held.delete(sender);
    this.#inAll -= 1;
    this.#freed.resolve();
    this.#freed = deferred();
  }
}
