import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { toSealionError } from '#protocols/errors';
import { natsError } from '../nats/errors.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Answers every request on a subject. A failure is logged and the caller gets no answer: an exception that reached
 * the NATS client would end the whole connection.
 * @throws Retryable `nats-unavailable` when the connection is closed
 */
export function answering(
  connection: NatsConnection,
  subject: string,
  answer: () => string | Uint8Array,
  log: Logger,
): Subscription {
  const callback = (refused: Error | null, message: Msg) => {
    try {
      if (refused) throw refused;
      message.respond(answer());
    } catch (thrown) {
      log.error({ error: toSealionError(thrown), subject }, 'could not answer a call');
    }
  };
  try {
    return connection.subscribe(subject, { callback });
  } catch (error) {
    throw natsError(error, `answering ${subject}`);
  }
}
