import { type ConsumerMessages, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Retryable } from '#protocols/errors';
import { connectionBack } from '../../nats/reconnects.ts';
import type { Positioned } from '../journal.ts';
import { decodeEvent } from './event-message.ts';
import { unavailable } from './stream-store.ts';
import { STREAMS } from './subjects.ts';

/** Messages on their way to the reader. */
const WINDOW = 256;

/** A consumer that is silent for so long, ms, is lost; twice, to be exact. */
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
    // a server that was restarted has forgotten the consumer, which the client would notice much later
    const back = connectionBack(connection);
    for await (const event of stretch(connection, position, AbortSignal.any([signal, back]))) {
      if (event.event) yield { ...event.event, position: event.position };
      position = event.position;
    }
    if (!signal.aborted && !back.aborted) {
      throw new Retryable({
        code: 'journal-unavailable',
        message: 'The server has ended the list of events.',
      });
    }
  }
}

async function* stretch(connection: NatsConnection, after: number, signal: AbortSignal) {
  let messages: ConsumerMessages | undefined;
  // resolves only when somebody reads it to its end
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
