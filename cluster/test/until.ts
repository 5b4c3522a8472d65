import { setTimeout as sleep } from 'node:timers/promises';

/** No condition of a test takes longer on a machine that works; ms. */
const PATIENCE_MS = 90_000;

/** Waits for a condition. What `look` throws counts as not yet. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
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
