import { statfs } from 'node:fs/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { throwIfAborted } from '#protocols/errors';
import { natsError } from '#runtime/nats/errors';

/**
 * Bytes that are free for pieces: what the limit of the SP's JetStream account leaves. A server does not report its
 * disk, so without an account limit the disk of our own data folder counts.
 * @param dataDir a folder of ours that exists
 * @throws Retryable `nats-unavailable`
 */
export async function freeSpace(home: NatsConnection, dataDir: string, signal: AbortSignal): Promise<number> {
  throwIfAborted(signal);
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
