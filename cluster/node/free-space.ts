import { statfs } from 'node:fs/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Cache } from '#runtime/async/cache';
import { natsError } from '#runtime/nats/errors';

/** How long a result is used, ms. The bytes that arrive in this time are few compared with the reserve. */
const TTL_MS = 1_000;

/**
 * Determines the bytes free for pieces, at most once a second: the unused part of the storage limit of the SP's
 * JetStream account. Without such a limit it is the free space on the disk of our own data, since nats-server does not
 * report its own.
 * @param dataDir an existing data folder
 * @returns a function that returns the bytes; throws Retryable `nats-unavailable`, Cancelled
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
