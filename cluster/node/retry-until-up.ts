import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted, toSealionError } from '#protocols/errors';
import { backoffMs } from '#protocols/job/backoff';
import { orAborted } from '#runtime/async/or-aborted';
import type { Logger } from '#runtime/telemetry/logger';

const BACKOFF = { minMs: 250, maxMs: 10_000 };
const REMIND_MS = 10_000;

export interface UntilUpOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** How long one try may take before the log says that it is waited for, ms; 10 s by default. */
  readonly remindMs?: number;
}

/**
 * Waits until a dependency of the node is up: logs retryable failures of the work and retries it, with growing delays.
 * What does not answer is logged as well.
 * @param what for the log, for example `the chain`
 * @throws Terminal as the work; Cancelled as soon as the signal fires
 */
export async function retryUntilUp<T>(
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
  { log, signal, remindMs = REMIND_MS }: UntilUpOptions,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    throwIfAborted(signal);
    const begin = performance.now();
    const remind = () => {
      const seconds = Math.round((performance.now() - begin) / 1_000);
      log.warn({ failures: failures - 1, seconds }, `waiting for ${what}: no answer yet`);
    };
    const reminder = setInterval(remind, remindMs);
    try {
      return await orAborted(work(signal), signal);
    } catch (thrown) {
      throwIfAborted(signal);
      const error = toSealionError(thrown);
      if (!(error instanceof Retryable)) throw error;
      const delayMs = backoffMs(failures, Math.random(), BACKOFF);
      log.warn({ error, failures, delayMs }, `waiting for ${what}: ${error.message}`);
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    } finally {
      clearInterval(reminder);
    }
  }
}
