import {
  createInbox,
  type Deferred,
  deferred,
  errors,
  type Msg,
  type NatsConnection,
} from '@nats-io/nats-core';
import { linkOf } from '../nats/link.ts';
import { connectionBack } from '../nats/reconnects.ts';

/** No responders: the stream has no leader, or is not there. */
const NO_RESPONDERS = 503;
const NOT_FOUND = 404;
/** When a question without an answer is asked again, ms after the one before. */
const AGAIN_MS = [1_000, 2_000, 4_000];

interface Asked {
  readonly seq: number;
  readonly answer: Deferred<Msg>;
  repetition?: NodeJS.Timeout;
  /** The link that the question went over; it is asked again over one other. */
  link: string | undefined;
  again: boolean;
}

/**
 * Asks for messages of one stream by their sequence, over a connection's one subscription: half the client's work of
 * the library's requests, which make timers, a subject and two errors with their stacks for each question. What was
 * under way when the connection was lost is asked once more when it is back.
 *
 * Each replica of a stream answers a part of the questions. nats-server 2.9 gives one that hangs its part as well, for
 * as long as it hangs, so that a question without an answer is repeated: another may get it.
 */
export class ChunkLink {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  readonly #limitMs: number;
  readonly #inbox = createInbox();
  readonly #asked = new Map<string, Asked>();
  #count = 0;
  #listening = false;

  /** @param limitMs without an answer, after which a question fails */
  constructor(connection: NatsConnection, stream: string, limitMs: number) {
    this.#connection = connection;
    this.#subject = `$JS.API.DIRECT.GET.${stream}`;
    this.#limitMs = limitMs;
  }

  /**
   * @returns undefined when the server that was asked does not have the message
   * @throws what the client throws: no answer in time, no responders, a closed connection
   */
  async get(seq: number): Promise<Msg | undefined> {
    this.#listen();
    const token = String(this.#count++);
    const asked: Asked = { seq, answer: deferred<Msg>(), link: undefined, again: false };
    this.#asked.set(token, asked);
    const limit = setTimeout(() => asked.answer.reject(new errors.TimeoutError()), this.#limitMs);
    try {
      this.#ask(token, asked);
      this.#repeat(token, asked);
      const message = await asked.answer;
      if (message.headers?.code === NOT_FOUND) return undefined;
      if (message.headers?.code === NO_RESPONDERS) throw new errors.NoRespondersError(this.#subject);
      if (message.headers?.code) throw new errors.ConnectionError(message.headers.description);
      return message;
    } finally {
      clearTimeout(limit);
      clearTimeout(asked.repetition);
      this.#asked.delete(token);
    }
  }

  #repeat(token: string, asked: Asked, times = 0): void {
    const pause = AGAIN_MS[times];
    if (pause === undefined) return;
    asked.repetition = setTimeout(() => {
      try {
        // After a loss of the connection it is asked again anyway.
        if (asked.link === linkOf(this.#connection)) this.#ask(token, asked);
        this.#repeat(token, asked, times + 1);
      } catch (error) {
        asked.answer.reject(error);
      }
    }, pause);
  }

  #ask(token: string, asked: Asked): void {
    asked.link = linkOf(this.#connection);
    this.#connection.publish(this.#subject, JSON.stringify({ seq: asked.seq }), {
      reply: `${this.#inbox}.${token}`,
    });
  }

  #listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error) this.#fail(error);
        else this.#asked.get(message.subject.slice(this.#inbox.length + 1))?.answer.resolve(message);
      },
    });
    this.#watch();
  }

  #watch(): void {
    connectionBack(this.#connection).addEventListener('abort', () => this.#onBack(), { once: true });
  }

  #onBack(): void {
    this.#watch();
    const link = linkOf(this.#connection);
    for (const [token, asked] of this.#asked) {
      if (asked.link === link) continue;
      if (asked.again) asked.answer.reject(new errors.ConnectionError('the connection was lost twice'));
      else {
        asked.again = true;
        this.#ask(token, asked);
      }
    }
  }

  #fail(error: Error): void {
    this.#listening = false;
    for (const { answer } of this.#asked.values()) answer.reject(error);
  }
}
