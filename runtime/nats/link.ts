import type { NatsConnection } from '@nats-io/nats-core';

/**
 * Identifies the current link of a connection to a server; each reconnect gives another one. A server closes the link
 * of a client that is silent for a few minutes, so messages published over a link that began before a long pause of
 * this process, or of the whole machine, are lost.
 * @returns undefined while there is no link
 */
export function linkOf(connection: NatsConnection): string | undefined {
  const { info } = connection;
  return info && `${info.server_id}/${info.client_id}`;
}
