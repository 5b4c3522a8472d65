import { type ConsumerMessages, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Retryable } from '#protocols/errors';
import { connectionBack } from '../../nats/reconnects.ts';
import type { Positioned } from '../journal.ts';
import { decodeEvent } from './event-message.ts';
import { unavailable } from './stream-store.ts';
import { STREAMS } from './subjects.ts';

/** Maximum number of messages buffered for the reader. */
const WINDOW = 256;

/** Heartbeat interval of the consumer, ms; after two missed heartbeats it counts as lost. */
const SILENCE_MS = 2_000;
const REQUEST_LIMIT_MS = 10_000;

/** Events after a position in the stream, oldest first, then new ones, until the signal fires. */
export async function* tailEvents(
  connection: NatsConnection,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Positioned, void, undefined> {
  let position = after;
  while (!signal.aborted) {
    // a restarted server has lost the consumer, which the client itself would notice much later
    const back = connectionBack(connection);
    for await (const event of stretch(connection, position, AbortSignal.any([signal, back]))) {
      if (event.event) yield { ...event.event, position: event.position };
      position = event.position;
    }
    if (!signal.aborted && !back.aborted) {
      throw new Retryable({
        code: 'journal-unavailable',
        message: 'The nats-server has ended the stream of events.',
      });
    }
  }
}

async function* stretch(connection: NatsConnection, after: number, signal: AbortSignal) {
  let messages: ConsumerMessages | undefined;
  // not awaited: it resolves only after the messages have been read to the end
  const stop = () => void messages?.close();
  try {
    signal.addEventListener('abort', stop, { once: true });
    const { name } = STREAMS.events;
    const consumer = await jetstream(connection).consumers.get(name, { opt_start_seq: after + 1 });
    if (signal.aborted) return;
    messages = await consumer.consume({
      max_messages: WINDOW,
      expires: REQUEST_LIMIT_MS,
      idle_heartbeat: SILENCE_MS,
    });
    if (signal.aborted) return;
    for await (const message of messages) {
      if (signal.aborted) return;
      yield { position: message.seq, event: decodeEvent(message.subject, message.string()) };
    }
  } catch (error) {
    if (!signal.aborted) throw unavailable(error, 'following the events');
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
