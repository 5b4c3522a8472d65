import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Retryable, type SealionError, throwIfAborted } from '#protocols/errors';
import { backoffMs } from '#protocols/job/backoff';
import {
  isJetStreamError,
  isMessageGone,
  isWrongLastSequence,
  JetStreamCode,
  natsError,
} from '../../nats/errors.ts';
import { askOverReconnects } from '../../nats/reconnects.ts';

/** How long a request is retried, ms: longer than the election of a leader or a restart takes. */
const PATIENCE_MS = 20_000;
const REQUEST_LIMIT_MS = 3_000;
const LIST_LIMIT_MS = 60_000;
const BACKOFF = { minMs: 50, maxMs: 1_000 };

/** A message of the stream. */
export interface Stored {
  readonly seq: number;
  readonly body: string;
}

/**
 * One stream of the journal. Every request is repeated after a lost connection or an election, and every failure is
 * converted to one of our errors.
 */
export class StreamStore {
  readonly stream: string;
  readonly connection: NatsConnection;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #lister: JetStreamManager;
  readonly #isReplicated: boolean;

  private constructor(
    stream: string,
    connection: NatsConnection,
    managers: { readonly manager: JetStreamManager; readonly lister: JetStreamManager },
    isReplicated: boolean,
  ) {
    this.stream = stream;
    this.connection = connection;
    this.#client = jetstream(connection, { timeout: REQUEST_LIMIT_MS });
    this.#manager = managers.manager;
    this.#lister = managers.lister;
    this.#isReplicated = isReplicated;
  }

  /** @param options.stream an existing stream */
  static async open(options: {
    readonly connection: NatsConnection;
    readonly stream: string;
    readonly replicas: number;
  }): Promise<StreamStore> {
    const { connection, stream, replicas } = options;
    const manager = await jetstreamManager(connection, { timeout: REQUEST_LIMIT_MS, checkAPI: false });
    const lister = await jetstreamManager(connection, { timeout: LIST_LIMIT_MS, checkAPI: false });
    return new StreamStore(stream, connection, { manager, lister }, replicas > 1);
  }

  /**
   * The message on a subject. It is requested from the leader of a replicated stream, since another server may not have
   * it yet.
   * @throws Retryable `journal-unavailable`
   */
  async get(subject: string, signal?: AbortSignal): Promise<Stored | undefined> {
    const query = { last_by_subj: subject };
    const message = await this.#ask(`reading ${subject}`, signal, () =>
      this.#isReplicated
        ? this.#manager.streams.getMessage(this.stream, query)
        : this.#manager.direct.getMessage(this.stream, query),
    );
    return message ? { seq: message.seq, body: message.string() } : undefined;
  }

  /**
   * Writes a message on a subject that must not have one. A repeated request with the same id does not write a second
   * message.
   * @returns its sequence; undefined when the server says that the subject or the id is already in use
   */
  async create(subject: string, body: string, id: string, signal?: AbortSignal): Promise<number | undefined> {
    const expect = { streamName: this.stream, lastSubjectSequence: 0 };
    const ack = await this.#ask(`writing ${subject}`, signal, () =>
      this.#client.publish(subject, body, { msgID: id, expect }).catch((error: unknown) => {
        if (isWrongLastSequence(error) || isJetStreamError(error, JetStreamCode.DUPLICATE_IN_FLIGHT)) return;
        throw error;
      }),
    );
    return ack && !ack.duplicate ? ack.seq : undefined;
  }

  /** Writes a message on a subject and replaces the previous one. @returns its sequence */
  async put(subject: string, body: string, id: string, signal?: AbortSignal): Promise<number> {
    const ack = await this.#ask(`writing ${subject}`, signal, () =>
      this.#client.publish(subject, body, { msgID: id, expect: { streamName: this.stream } }),
    );
    return ack.seq;
  }

  /** Deletes one message. Succeeds also if it has already been deleted. */
  async delete(seq: number, signal?: AbortSignal): Promise<void> {
    await this.#ask(`deleting message ${seq}`, signal, () =>
      this.#manager.streams.deleteMessage(this.stream, seq, false).catch((error: unknown) => {
        if (!isMessageGone(error)) throw error;
      }),
    );
  }

  /** Deletes the message on a subject, unless it is replaced in the meantime. */
  async remove(subject: string, signal?: AbortSignal): Promise<void> {
    const there = await this.get(subject, signal);
    if (there) await this.delete(there.seq, signal);
  }

  /** Deletes all messages whose subjects match. The server searches the whole stream for them. */
  async purge(filter: string, signal?: AbortSignal): Promise<void> {
    await this.#ask(`purging ${filter}`, signal, () => this.#lister.streams.purge(this.stream, { filter }));
  }

  /** The matching subjects that have a message, in no particular order. */
  async subjects(filter: string, signal?: AbortSignal): Promise<readonly string[]> {
    const { state } = await this.#ask(`listing ${filter}`, signal, () =>
      this.#lister.streams.info(this.stream, { subjects_filter: filter }),
    );
    return Object.keys(state.subjects ?? {});
  }

  /** Sequence of the last message ever stored in the stream. */
  async lastSequence(signal?: AbortSignal): Promise<number> {
    const { state } = await this.#ask('asking for the last message', signal, () =>
      this.#manager.streams.info(this.stream),
    );
    return state.last_seq;
  }

  async #ask<T>(doing: string, signal: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (let tries = 1; ; tries += 1) {
      throwIfAborted(signal);
      try {
        return await askOverReconnects(this.connection, ask);
      } catch (thrown) {
        const error = unavailable(thrown, `${doing} in ${this.stream}`);
        if (!(error instanceof Retryable) || performance.now() > giveUpAt || this.connection.isClosed()) {
          throw error;
        }
      }
      await sleep(backoffMs(tries, Math.random(), BACKOFF), undefined, signal && { signal }).catch(
        () => undefined,
      );
    }
  }
}

/** Converts a failure of the server to the error `journal-unavailable`. */
export function unavailable(thrown: unknown, doing: string): SealionError {
  return natsError(thrown, doing, 'journal-unavailable');
}
