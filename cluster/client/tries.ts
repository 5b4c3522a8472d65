import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';

/** Maximum number of successive tries without progress, and half the pause after the first of them, ms. */
const MAX_TRIES = 4;
const PAUSE_MS = 500;

/**
 * Decides how often a transfer that continues where it stopped is tried again: without limit while it makes progress.
 */
export class Tries {
  #failed = 0;

  progressed(): void {
    this.#failed = 0;
  }

  /**
   * Waits before the next try.
   * @throws the error, if it is final or there were too many tries; Cancelled
   */
  async pauseAfter(error: unknown, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    this.#failed += 1;
    if (!(error instanceof Retryable) || this.#failed === MAX_TRIES) throw error;
    await sleep(PAUSE_MS * 2 ** this.#failed, undefined, { signal });
  }
}
