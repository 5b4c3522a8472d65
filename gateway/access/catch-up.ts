import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted, toSealionError } from '#protocols/errors';
import { Cache } from '#runtime/async/cache';
import type { Chain } from '#runtime/chain/chain';

/**
 * Looks at the chain for a request, and a second time when the first look fails for want of something that the
 * client may have seen on another node of the chain: ours is given time to come up to the moment of the request.
 * @throws what the last look throws
 */
export type CatchUp = <T>(look: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Codes of errors that a newer block may cure: a bucket, an object or an update that is not there yet. */
const PREMATURE: ReadonlySet<string> = new Set([
  'no-such-bucket',
  'no-such-object',
  'unexpected-object-status',
]);

/** How long a node of the chain is waited for; ms. */
const PATIENCE_MS = 10_000;
const POLL_MS = 500;
/** The chain is asked once in this time, however many wait; ms. */
const BLOCK_TTL_MS = 250;
/** Requests that wait at a time; to further ones the node's word counts as it is. */
const MAX_WAITING = 256;

export function catchUpWith(chain: Pick<Chain, 'latestBlock'>): CatchUp {
  const block = new Cache({ ttlMs: BLOCK_TTL_MS, maxEntries: 1, load: () => chain.latestBlock() });
  let waiting = 0;
  return async (look, signal) => {
    const arrivedAt = Date.now();
    try {
      return await look();
    } catch (error) {
      if (!PREMATURE.has(toSealionError(error).code) || waiting >= MAX_WAITING) throw error;
    }
    waiting += 1;
    try {
      await untilBlockOf(arrivedAt, signal);
    } finally {
      waiting -= 1;
    }
    return look();
  };

  async function untilBlockOf(moment: number, signal: AbortSignal): Promise<void> {
    while ((await block.get('latest', signal)).time < moment && Date.now() < moment + PATIENCE_MS) {
      await sleep(POLL_MS, undefined, { signal }).catch(() => throwIfAborted(signal));
    }
  }
}
