import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection, Payload, RequestOptions } from '@nats-io/nats-core';
import { type AskAgainOptions, askAgain } from './ask-again.ts';
import { natsError } from './errors.ts';

/**
 * JetStream writes several files and syncs them to set something up, behind everything else that the disk has to do.
 * In a cluster the first request may have gone to a server that hangs.
 */
const PATIENCE: AskAgainOptions = { limitMs: 60_000, againMs: [2_500, 5_000, 10_000, 20_000] };

/**
 * The same connection, for requests that set something up, and others that may be repeated: they wait a minute for
 * their answers, whatever limit they name themselves, and are sent again meanwhile.
 */
export function patient(connection: NatsConnection, patience = PATIENCE): NatsConnection {
  const request = (subject: string, data?: Payload, options?: RequestOptions) =>
    askAgain(connection, (timeout) => connection.request(subject, data, { ...options, timeout }), patience);
  return new Proxy(connection, {
    get(target, name) {
      if (name === 'request') return request;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * JetStream's management, over a patient connection.
 * @param doing for the message of an error, for example `opening JOBS`
 * @param code of a Retryable error, if the port has one of its own
 * @throws Terminal `jetstream-disabled`, `nats-refused`; Retryable `nats-unavailable`, or with that code
 */
export async function patientManager(
  connection: NatsConnection,
  doing: string,
  code?: string,
): Promise<JetStreamManager> {
  try {
    return await jetstreamManager(patient(connection));
  } catch (error) {
    throw natsError(error, doing, code);
  }
}
