import { setMaxListeners } from 'node:events';
import type { NatsConnection } from '@nats-io/nats-core';
import { orAborted } from '../async/or-aborted.ts';

/** Ends when the connection is next back; one for each connection. */
const NEXT = new WeakMap<NatsConnection, AbortController>();

/**
 * Fires when the connection has been lost and is back. Whatever was sent before that and has no answer yet is lost:
 * the client drops what it could not send, and a server that was restarted has forgotten what it was asked.
 */
export function connectionBack(connection: NatsConnection): AbortSignal {
  const next = NEXT.get(connection);
  if (next) return next.signal;
  void watch(connection);
  return renew(connection).signal;
}

function renew(connection: NatsConnection): AbortController {
  const next = new AbortController();
  // one for everything that is asked over this connection at a time
  setMaxListeners(0, next.signal);
  NEXT.set(connection, next);
  return next;
}

/** Asks, and asks again when the connection comes back before the answer: for what does no harm when it is done twice. */
export async function askOverReconnects<T>(connection: NatsConnection, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const back = connectionBack(connection);
    const answer = ask();
    try {
      return await orAborted(answer, back);
    } catch (error) {
      if (!back.aborted) throw error;
      // of a question that nobody waits for any more
      answer.catch(() => undefined);
    }
  }
}

/** Ends with the connection. */
async function watch(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type !== 'reconnect') continue;
    const next = NEXT.get(connection);
    renew(connection);
    next?.abort();
  }
}
