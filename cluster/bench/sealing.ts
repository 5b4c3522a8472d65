import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, Terminal, throwIfAborted } from '#protocols/errors';
import type { Chain } from '#runtime/chain/chain';
import type { JobAnnouncement } from '#runtime/home/home';
import { openHomeView } from '../cli/home-view.ts';
import type { BenchNetwork } from './network.ts';
import type { BenchObject } from './objects.ts';

/** After so long without an announcement the chain is asked itself: one can be missed. */
const QUIET_MS = 10_000;
const POLL_MS = 100;

/**
 * Follows objects until they are sealed, by what their primary announces: that costs the network next to nothing,
 * while asking the chain for each object would be measured with the rest.
 * @param upload begins when announcements are heard
 * @param hear told of each announcement about one of the objects
 * @returns when the last object was sealed, as `performance.now()`
 */
export async function untilSealed(
  network: BenchNetwork,
  objects: readonly BenchObject[],
  signal: AbortSignal,
  upload: () => Promise<void>,
  hear: (announcement: JobAnnouncement) => void = () => undefined,
): Promise<number> {
  const waiting = new Set(objects.map(({ objectId }) => objectId));
  const home = await openHomeView(network.primary);
  const stop = new AbortController();
  let sealedAt = performance.now();
  let heardAt = sealedAt;
  const follow = async () => {
    for await (const announcement of home.feed.watch({ signal: AbortSignal.any([signal, stop.signal]) })) {
      const { job, state } = announcement;
      if (!waiting.has(job.objectId)) continue;
      heardAt = performance.now();
      hear(announcement);
      if (state !== 'SEAL_OBJECT_DONE') continue;
      waiting.delete(job.objectId);
      sealedAt = performance.now();
    }
  };
  const followed = follow();
  // Awaited below; a failure until then must not count as unhandled.
  followed.catch(() => undefined);
  try {
    await upload();
    sealedAt = Math.max(sealedAt, performance.now());
    while (waiting.size > 0) {
      throwIfAborted(signal);
      await sleep(POLL_MS);
      if (performance.now() - heardAt < QUIET_MS) continue;
      for (const objectId of waiting) {
        if (!(await isSealed(network.session.chain, objectId, signal))) continue;
        waiting.delete(objectId);
        sealedAt = performance.now();
      }
      heardAt = performance.now();
    }
    return sealedAt;
  } finally {
    stop.abort();
    await followed.finally(() => home.close());
  }
}

/** False also where the chain does not answer in time. @throws Terminal `object-gone` */
async function isSealed(chain: Chain, objectId: string, signal: AbortSignal): Promise<boolean> {
  try {
    const found = await chain.objectById(objectId, { signal });
    if (found) return found.object.status === 'SEALED';
  } catch (error) {
    if (error instanceof Retryable) return false;
    throw error;
  }
  throw new Terminal({
    code: 'object-gone',
    message: `Object ${objectId} is gone from the chain: it was rejected by its provider or cancelled.`,
  });
}
