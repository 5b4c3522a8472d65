import type { NatsConnection } from '@nats-io/nats-core';

/**
 * Names the link that a connection has to a server at this moment: another one after every loss of it. A server
 * closes the link of a client that is silent for a few minutes, so what is published over a link that began
 * before a long pause of this process, or of its whole machine, never arrives.
 * @returns undefined while there is none
 */
export function linkOf(connection: NatsConnection): string | undefined {
  const { info } = connection;
  return info && `${info.server_id}/${info.client_id}`;
}
