import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted, toSealionError } from '#protocols/errors';
import { Cache } from '#runtime/async/cache';
import type { Chain } from '#runtime/chain/chain';

/**
 * Runs chain queries for a request, and repeats them if an item is missing that the client may have seen on another
 * chain node: ours gets time to catch up with the time of the request.
 * @throws the error of the last attempt
 */
export type CatchUp = <T>(query: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Codes of errors that a newer block may resolve: a bucket, object or update that does not exist yet. */
const PREMATURE: ReadonlySet<string> = new Set([
  'no-such-bucket',
  'no-such-object',
  'unexpected-object-status',
]);

/** How long to wait for the chain node, ms. */
const MAX_WAIT_MS = 10_000;
const POLL_MS = 500;
/** The chain is queried once per this time, however many wait; ms. */
const BLOCK_TTL_MS = 250;
/** Requests that may wait concurrently; further ones use the node's current answer. */
const MAX_WAITING = 256;

export function catchUpWith(chain: Pick<Chain, 'latestBlock'>): CatchUp {
  const block = new Cache({ ttlMs: BLOCK_TTL_MS, maxEntries: 1, load: () => chain.latestBlock() });
  let waiting = 0;
  return async (query, signal) => {
    const arrivedAt = Date.now();
    try {
      return await query();
    } catch (error) {
      if (!PREMATURE.has(toSealionError(error).code) || waiting >= MAX_WAITING) throw error;
    }
    waiting += 1;
    try {
      await untilBlockOf(arrivedAt, signal);
    } finally {
      waiting -= 1;
    }
    return query();
  };

  async function untilBlockOf(moment: number, signal: AbortSignal): Promise<void> {
    while ((await block.get('latest', signal)).time < moment && Date.now() < moment + MAX_WAIT_MS) {
      await sleep(POLL_MS, undefined, { signal }).catch(() => throwIfAborted(signal));
    }
  }
}
