import { statfs } from 'node:fs/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Cache } from '#runtime/async/cache';
import { natsError } from '#runtime/nats/errors';
import { patient } from '#runtime/nats/patient';

/** How long a result is used, ms. The bytes that arrive in this time are few compared with the reserve. */
const TTL_MS = 1_000;

/** The room for pieces. */
export interface Space {
  readonly freeBytes: number;
  /** Of the SP's JetStream account, if it has a storage limit. */
  readonly limitBytes?: number;
}

/**
 * Determines the room for pieces, at most once a second: the unused part of the storage limit of the SP's JetStream
 * account. Without such a limit it is the free space on the disk of our own data, since nats-server does not report its
 * own.
 * @param dataDir an existing data folder
 * @returns a function that returns it; throws Retryable `nats-unavailable`, Cancelled
 */
export function watchSpace(home: NatsConnection, dataDir: string): (signal?: AbortSignal) => Promise<Space> {
  const cache = new Cache<string, Space>({
    ttlMs: TTL_MS,
    maxEntries: 1,
    load: (directory) => readSpace(home, directory),
  });
  return (signal) => cache.get(dataDir, signal);
}

async function readSpace(home: NatsConnection, dataDir: string): Promise<Space> {
  try {
    const manager = await jetstreamManager(patient(home), { checkAPI: false });
    const { limits, storage } = await manager.getAccountInfo();
    const limitBytes = limits.max_storage;
    if (limitBytes > 0) return { freeBytes: Math.max(0, limitBytes - storage), limitBytes };
  } catch (error) {
    throw natsError(error, 'asking how much space the account has');
  }
  const { bavail, bsize } = await statfs(dataDir);
  return { freeBytes: bavail * bsize };
}
