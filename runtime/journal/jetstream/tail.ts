import { type ConsumerMessages, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Retryable } from '#protocols/errors';
import type { Positioned } from '../journal.ts';
import { decodeEvent } from './event-message.ts';
import { unavailable } from './stream-store.ts';
import { STREAMS } from './subjects.ts';

/** Messages on their way to the reader. */
const WINDOW = 256;

/** Events after a position in the stream, oldest first, then new ones, until the signal fires. */
export async function* tailEvents(
  connection: NatsConnection,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Positioned, void, undefined> {
  const doing = 'following the events';
  let messages: ConsumerMessages | undefined;
  const stop = () => void messages?.close();
  try {
    if (signal.aborted) return;
    const consumer = await jetstream(connection).consumers.get(STREAMS.events.name, { opt_start_seq: after + 1 });
    messages = await consumer.consume({ max_messages: WINDOW });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) return;
    for await (const message of messages) {
      if (signal.aborted) return;
      const stored = decodeEvent(message.subject, message.string());
      if (stored) yield { ...stored, position: message.seq };
    }
  } catch (error) {
    throw unavailable(error, doing);
  } finally {
    signal.removeEventListener('abort', stop);
    void messages?.close();
  }
  if (!signal.aborted) {
    throw new Retryable({ code: 'journal-unavailable', message: `The server has ended ${doing}.` });
  }
}
