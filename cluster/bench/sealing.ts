import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, Terminal, throwIfAborted } from '#protocols/errors';
import type { Chain } from '#runtime/chain/chain';
import type { JobAnnouncement } from '#runtime/home/home';
import { openHomeView } from '../cli/home-view.ts';
import type { BenchNetwork } from './network.ts';
import type { BenchObject } from './objects.ts';

/** After this time without a notification, which may have been lost, the chain is queried instead; ms. */
const QUIET_MS = 10_000;
const POLL_MS = 100;

/**
 * Waits until objects are sealed, by the notifications of their primary: those cost the network next to nothing, while
 * chain queries for each object would affect the measurement.
 * @param upload runs once notifications are received
 * @param hear called with each notification about one of the objects
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
  // Awaited below; an earlier failure must not count as an unhandled rejection.
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

/** False also when the chain does not answer in time. @throws Terminal `object-gone` */
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
