import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';

/** Runs a task for each item, a limited number at a time, in the order of the items. Stops at the first failure. */
export async function inParallel<T>(
  items: readonly T[],
  workers: number,
  task: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      await task(items[index] as T, index);
    }
  };
  const failed = (error: unknown) => {
    next = items.length;
    throw error;
  };
  await Promise.all(Array.from({ length: Math.min(workers, items.length) }, () => work().catch(failed)));
}

const RETRY_MS = 500;
const MAX_TRIES = 100;

/** Retries a task, up to 100 times, while it is refused with a retryable error. @returns the number of refusals */
export async function patiently(task: () => Promise<unknown>, signal: AbortSignal): Promise<number> {
  for (let refused = 0; ; refused += 1) {
    try {
      await task();
      return refused;
    } catch (error) {
      throwIfAborted(signal);
      if (!(error instanceof Retryable) || refused === MAX_TRIES) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** The duration of a task, ms. */
export async function timed(task: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await task();
  return performance.now() - begin;
}
