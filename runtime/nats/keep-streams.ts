import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from '../telemetry/logger.ts';
import { natsError } from './errors.ts';

const EVERY_MS = 5_000;

/** A stream that must be there. */
export interface KeptStream {
  readonly name: string;
  /** What was lost with its content and what becomes of that, in one sentence for operators. */
  readonly loss: string;
  /** Makes it as it was at the start. */
  make(): Promise<unknown>;
  /** What must be known of it in case it is lost, asked with every look. */
  look?(): Promise<unknown>;
}

export interface KeepOptions {
  readonly connection: NatsConnection;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called for every stream that was lost and has been created again; must not throw. */
  onLost?(name: string): void;
}

/**
 * Makes streams again that somebody has removed under a running node, and says so; returns when the signal fires. What
 * cannot be made now is tried with the next look.
 */
export async function keepStreams(streams: readonly KeptStream[], options: KeepOptions): Promise<void> {
  const { connection, log, signal } = options;
  while (!signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted || connection.isClosed()) return;
    try {
      const present = await streamNames(connection);
      for (const { name, loss, make } of streams.filter((stream) => !present.has(stream.name))) {
        await make();
        log.error({ stream: name }, `created the lost stream ${name} again: ${loss}`);
        options.onLost?.(name);
      }
      await Promise.all(streams.filter(({ name }) => present.has(name)).map((stream) => stream.look?.()));
    } catch (error) {
      if (!signal.aborted)
        log.warn({ error: natsError(error, 'keeping streams') }, 'cannot check the streams now');
    }
  }
}

/** @throws what the client throws */
async function streamNames(connection: NatsConnection): Promise<ReadonlySet<string>> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const names = new Set<string>();
  for await (const name of manager.streams.names()) names.add(name);
  return names;
}
