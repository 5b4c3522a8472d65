import { setTimeout as sleep } from 'node:timers/promises';

/** Longer than any condition takes, even on a slow machine; ms. */
const TIME_LIMIT_MS = 180_000;

/** Waits for a condition. An error thrown by `look` counts as "not yet". */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const giveUpAt = performance.now() + TIME_LIMIT_MS;
  let last: unknown;
  while (performance.now() < giveUpAt) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`waited in vain until ${what}`, { cause: last });
}
