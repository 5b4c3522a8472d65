import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { Retryable, throwIfAborted } from '#protocols/errors';
import { silentLogger } from '../telemetry/logger.ts';
import { connectNats } from './connect.ts';

const PROBE = 'READY';
const POLL_MS = 100;
const START_LIMIT_MS = 60_000;

export interface ClusterAddress {
  /** URLs of all servers, separated by commas. */
  readonly url: string;
  readonly servers: number;
  /** An account that may create streams, if the servers have accounts. */
  readonly user?: string;
  readonly password?: string;
  readonly signal?: AbortSignal;
}

/**
 * Waits until the servers have found each other and elected a leader, so that they can create streams that all of them
 * replicate.
 * @throws Retryable `nats-server-slow`, `nats-unavailable`; Cancelled
 */
export async function clusterReady({ servers, signal, ...address }: ClusterAddress): Promise<void> {
  const connection = await connectNats({ ...address, name: 'cluster', log: silentLogger });
  const giveUpAt = performance.now() + START_LIMIT_MS;
  try {
    while (performance.now() < giveUpAt) {
      throwIfAborted(signal);
      try {
        const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 });
        await manager.streams.add({ name: PROBE, subjects: ['ready'], num_replicas: servers });
        await manager.streams.delete(PROBE);
        return;
      } catch {
        await sleep(POLL_MS);
      }
    }
  } finally {
    await connection.close();
  }
  throw new Retryable({
    code: 'nats-server-slow',
    message: `${servers} nats-servers did not form a cluster within ${START_LIMIT_MS / 1000} s.`,
    advice: 'Try again when the machine is less busy.',
  });
}
