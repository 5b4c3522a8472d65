import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';

/** Does a task for each item, so many at a time, in the order of the items. The first failure ends it. */
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

/** Tries again as a patient client does. @returns how many times it was refused first */
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

/** How long a task takes, ms. */
export async function timed(task: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await task();
  return performance.now() - begin;
}
