import { setMaxListeners } from 'node:events';
import type { NatsConnection } from '@nats-io/nats-core';
import { orAborted } from '../async/or-aborted.ts';

/** Aborted at the next reconnect; one for each connection. */
const NEXT = new WeakMap<NatsConnection, AbortController>();

/**
 * Fires when the connection has been lost and restored. Requests sent before that without an answer are lost: the
 * client drops what it could not send, and a restarted server has forgotten them.
 */
export function connectionBack(connection: NatsConnection): AbortSignal {
  const next = NEXT.get(connection);
  if (next) return next.signal;
  void watch(connection);
  return renew(connection).signal;
}

function renew(connection: NatsConnection): AbortController {
  const next = new AbortController();
  // One listener for each request in progress on this connection.
  setMaxListeners(0, next.signal);
  NEXT.set(connection, next);
  return next;
}

/** Sends a request, and sends it again after each reconnect before the answer: for requests that may be repeated. */
export async function askOverReconnects<T>(connection: NatsConnection, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const back = connectionBack(connection);
    const answer = ask();
    try {
      return await orAborted(answer, back);
    } catch (error) {
      if (!back.aborted) throw error;
      // The abandoned answer may still fail.
      answer.catch(() => undefined);
    }
  }
}

/** Watches until the connection is closed. */
async function watch(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type !== 'reconnect') continue;
    const next = NEXT.get(connection);
    renew(connection);
    next?.abort();
  }
}
