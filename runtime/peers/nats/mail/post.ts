import type { NatsConnection } from '@nats-io/nats-core';
import { z } from 'zod';
import { Retryable } from '#protocols/errors';
import { orAborted } from '#runtime/async/or-aborted';
import { isNoResponders, natsError } from '#runtime/nats/errors';
import { askOverReconnects } from '#runtime/nats/reconnects';
import { traceHeaders } from '../trace-headers.ts';

const ACK_LIMIT_MS = 5_000;

const pubAck = z.object({ stream: z.string(), seq: z.int().positive() });

/**
 * Puts a message into the mailbox of another SP, and waits until it is stored.
 * @throws Retryable `peer-unreachable`; Terminal `nats-refused`; Cancelled
 */
export async function post(
  connection: NatsConnection,
  subject: string,
  message: Uint8Array,
  signal?: AbortSignal,
  trace?: string,
): Promise<void> {
  const options = {
    timeout: ACK_LIMIT_MS,
    ...(trace !== undefined && { headers: traceHeaders([trace]) }),
  };
  // Sent again it replaces itself.
  const send = () => connection.request(subject, message, options);
  const answer = await orAborted(askOverReconnects(connection, send), signal).catch((error: unknown) => {
    if (isNoResponders(error)) throw unreachable(subject, 'it has no mailbox', error);
    throw natsError(error, `posting to ${subject}`, 'peer-unreachable');
  });
  if (!pubAck.safeParse(parse(answer.string())).success) {
    throw unreachable(subject, `its mailbox answered ${answer.string().slice(0, 200)}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(subject: string, why: string, cause?: unknown): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: `The other SP accepts no messages at ${subject}: ${why}.`,
    advice: 'Its mailbox is missing or full; a missing one is created when one of its nodes starts.',
    cause,
  });
}
