import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than any condition takes, even on a slow machine; ms. */
const TIME_LIMIT_MS = 180_000;

/** Looks less often at what takes long: each look costs the node that is asked, and others, CPU time. */
const pauseMs = (waitedMs: number) => Math.min(250, Math.max(50, waitedMs / 20));

/** Waits for a condition. An error thrown by `look` counts as "not yet". */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const begunAt = performance.now();
  let last: unknown;
  while (performance.now() - begunAt < TIME_LIMIT_MS) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(pauseMs(performance.now() - begunAt));
  }
  throw new Error(`waited in vain until ${what}`, { cause: last });
}
