import { Retryable } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import type { Directory } from './home.ts';

/** Jobs of silent owners that are remembered. */
const LIMIT = 1_000;

/**
 * The directory of nodes that share a journal: an owner that has been silent for `afterMs` is passed over, since the
 * journal fences it when it comes back. One that answers again in between has its time anew.
 */
export function directoryWithoutSilent(directory: Directory, afterMs: number): Directory {
  const silentSince = new Map<string, number>();
  return {
    own: (job, answer) => directory.own(job, answer),
    async find(job, options) {
      const key = formatJobId(job);
      const askedAt = performance.now();
      try {
        const found = await directory.find(job, options);
        silentSince.delete(key);
        return found;
      } catch (error) {
        if (!(error instanceof Retryable) || error.code !== 'owner-silent') throw error;
        const since = silentSince.get(key) ?? askedAt;
        if (performance.now() - since < afterMs) {
          silentSince.set(key, since);
          for (const oldest of silentSince.keys()) {
            if (silentSince.size <= LIMIT) break;
            silentSince.delete(oldest);
          }
          throw error;
        }
        return undefined;
      }
    },
  };
}
