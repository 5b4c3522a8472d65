import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { orAborted } from '../async/or-aborted.ts';
import type { Logger } from '../telemetry/logger.ts';
import { natsError } from './errors.ts';
import { patient } from './patient.ts';

const EVERY_MS = 5_000;

/** A stream that must exist. */
export interface KeptStream {
  readonly name: string;
  /** One sentence for operators: what was lost with the stream, and the consequence. */
  readonly loss: string;
  /** Creates it as at the start. */
  create(): Promise<unknown>;
  /** Called at every check while the stream exists, to note what must be known if it is lost. */
  onCheck?(): Promise<unknown>;
}

export interface KeepOptions {
  readonly connection: NatsConnection;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called for every stream that was lost and has been created again; must not throw. */
  onLost?(name: string): void;
}

/**
 * Creates streams again that somebody has removed under a running node, and logs that; returns when the signal fires. A
 * stream that cannot be created now is tried at the next check.
 */
export async function keepStreams(streams: readonly KeptStream[], options: KeepOptions): Promise<void> {
  const { connection, log, signal } = options;
  while (!signal.aborted) {
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted || connection.isClosed()) return;
    try {
      await orAborted(check(streams, options), signal);
    } catch (error) {
      if (!signal.aborted)
        log.warn({ error: natsError(error, 'keeping streams') }, 'cannot check the streams now');
    }
  }
}

async function check(streams: readonly KeptStream[], options: KeepOptions): Promise<void> {
  const present = await streamNames(options.connection);
  for (const { name, loss, create } of streams.filter((stream) => !present.has(stream.name))) {
    await create();
    options.log.error({ stream: name }, `created the lost stream ${name} again: ${loss}`);
    options.onLost?.(name);
  }
  await Promise.all(streams.filter(({ name }) => present.has(name)).map((stream) => stream.onCheck?.()));
}

/** @throws as the client */
async function streamNames(connection: NatsConnection): Promise<ReadonlySet<string>> {
  const manager = await jetstreamManager(patient(connection), { checkAPI: false });
  const names = new Set<string>();
  for await (const name of manager.streams.names()) names.add(name);
  return names;
}
