import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';

/** Tries in turn without any progress, and half the pause after the first of them, ms. */
const MAX_TRIES = 4;
const PAUSE_MS = 500;

/** How long a transfer that continues where it stopped is repeated: as long as it comes further. */
export class Tries {
  #failed = 0;

  progressed(): void {
    this.#failed = 0;
  }

  /**
   * Waits before the next try.
   * @throws the error, where it does not pass by itself or the tries are used up; Cancelled
   */
  async pauseAfter(error: unknown, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    this.#failed += 1;
    if (!(error instanceof Retryable) || this.#failed === MAX_TRIES) throw error;
    await sleep(PAUSE_MS * 2 ** this.#failed, undefined, { signal });
  }
}
