import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted, toSealionError } from '#protocols/errors';
import { backoffMs } from '#protocols/job/backoff';
import type { Logger } from '#runtime/telemetry/logger';

const BACKOFF = { minMs: 250, maxMs: 10_000 };

/**
 * Waits until a dependency of the node is up: logs retryable failures of the work and retries it, with growing delays.
 * @param what for the log, for example `the chain`
 * @throws Terminal as the work; Cancelled when the signal fires
 */
export async function retryUntilUp<T>(
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    throwIfAborted(signal);
    try {
      return await work(signal);
    } catch (thrown) {
      throwIfAborted(signal);
      const error = toSealionError(thrown);
      if (!(error instanceof Retryable)) throw error;
      const delayMs = backoffMs(failures, Math.random(), BACKOFF);
      log.warn({ error, failures, delayMs }, `waiting for ${what}: ${error.message}`);
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
