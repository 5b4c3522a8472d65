import { statfs } from 'node:fs/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Cache } from '#runtime/async/cache';
import { natsError } from '#runtime/nats/errors';

/** Each ask for approval looks, and what comes within a second is little beside the reserve; ms. */
const TTL_MS = 1_000;

/**
 * Bytes that are free for pieces, looked up once a second at most: what the limit of the SP's JetStream account leaves.
 * A server does not tell about its disk, so where the account has no limit it is the disk of our own data that counts.
 * @param dataDir a folder of ours that exists
 * @returns looks; throws Retryable `nats-unavailable`, Cancelled
 */
export function watchFreeSpace(
  home: NatsConnection,
  dataDir: string,
): (signal: AbortSignal) => Promise<number> {
  const cache = new Cache<string, number>({
    ttlMs: TTL_MS,
    maxEntries: 1,
    load: (directory) => freeSpace(home, directory),
  });
  return (signal) => cache.get(dataDir, signal);
}

async function freeSpace(home: NatsConnection, dataDir: string): Promise<number> {
  try {
    const manager = await jetstreamManager(home, { checkAPI: false });
    const { limits, storage } = await manager.getAccountInfo();
    if (limits.max_storage > 0) return Math.max(0, limits.max_storage - storage);
  } catch (error) {
    throw natsError(error, 'asking how much space the account has');
  }
  const { bavail, bsize } = await statfs(dataDir);
  return bavail * bsize;
}
