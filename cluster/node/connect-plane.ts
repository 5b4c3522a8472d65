import type { NatsConnection } from '@nats-io/nats-core';
import { peersInbox } from '#runtime/nats/accounts';
import { connectNats } from '#runtime/nats/connect';
import type { Logger } from '#runtime/telemetry/logger';
import type { PlaneConfig } from '../config/schema.ts';
import { readPassword } from './password.ts';
import { retryUntilUp } from './retry-until-up.ts';

export interface PlaneOptions {
  readonly spId: number;
  /** Name of the node, for example `sp-1@node-a`. */
  readonly name: string;
  readonly plane: 'home' | 'peers';
  readonly config: PlaneConfig;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Connects to one NATS plane (ARCHITECTURE.md#the-two-nats-planes), waiting until it can be reached.
 * @throws Terminal `nats-refused`, as `readSecret`; Cancelled
 */
export async function connectPlane(options: PlaneOptions): Promise<NatsConnection> {
  const { spId, name, plane, config, log, signal } = options;
  const password = await readPassword(`the password of the ${plane} plane`, config.password);
  return retryUntilUp(
    `the ${plane} plane`,
    () =>
      connectNats({
        url: config.url,
        name: `${name} ${plane}`,
        ...(config.user !== undefined && { user: config.user }),
        ...(password !== undefined && { password }),
        ...(plane === 'peers' && { inboxPrefix: peersInbox(spId) }),
        log,
        signal,
      }),
    { log, signal },
  );
}
