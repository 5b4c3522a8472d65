import {
  AckPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { Terminal } from '#protocols/errors';
import { isJetStreamError, isSubjectTaken, JetStreamCode, natsError } from '../nats/errors.ts';
import { patient, patientManager } from '../nats/patient.ts';
import { ensureConsumer, ensureStream } from '../nats/streams.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Waiting } from './job-queue.ts';
import type { LeaseNotes } from './lease-book.ts';
import { type Pulled, type PullSource, pullOne } from './pull.ts';

/** Default of `WorkQueueOptions.ackWaitMs`. */
export const ACK_WAIT_MS = 10_000;
const SHORTEST_ACK_WAIT_MS = 1_000;
/** A parked message counts as un-acked, so the limit must leave room for everything that may be parked. */
const MAX_ACK_PENDING = 100_000;
const MAX_MESSAGES = 1_000_000;
/** A client may wait for its upload to be queued: less time than to set something up. */
const PATIENCE = { limitMs: 10_000, againMs: [2_500, 5_000] };

export interface WorkQueueOptions {
  readonly connection: NatsConnection;
  /** ms without an accepted renewal after which work passes to another node; 1 s at least, 10 s by default. */
  readonly ackWaitMs?: number;
  /** Number of replicas; 1 by default. */
  readonly replicas?: number;
  /** Where leases are noted for the next process of this node. */
  readonly notes?: LeaseNotes | undefined;
  /** Called for each lease that has expired. */
  readonly onLost?: (() => void) | undefined;
  readonly log: Logger;
}

/**
 * A JetStream WorkQueue stream with at most one message for each subject: what JOBS and ROLES have in common. The
 * message stays in the stream until it is acknowledged, so that publishing a subject again is refused while its work is
 * waiting, leased or parked (given back with a delay). Whoever pulled the message holds it as a `MessageLease`.
 */
export class WorkQueue {
  readonly connection: NatsConnection;
  readonly ackWaitMs: number;
  readonly log: Logger;
  readonly notes: LeaseNotes | undefined;
  readonly onLost: (() => void) | undefined;
  readonly #stream: string;
  readonly #client: JetStreamClient;
  readonly #manager: JetStreamManager;
  /** By consumer. */
  readonly #sources = new Map<string, PullSource>();

  private constructor(
    stream: string,
    options: WorkQueueOptions & { readonly ackWaitMs: number },
    manager: JetStreamManager,
  ) {
    this.connection = options.connection;
    this.ackWaitMs = options.ackWaitMs;
    this.log = options.log;
    this.notes = options.notes;
    this.onLost = options.onLost;
    this.#stream = stream;
    this.#client = jetstream(patient(options.connection, PATIENCE));
    this.#manager = manager;
  }

  /** @throws Terminal `stream-unfit`, `bad-ack-wait`; Retryable `nats-unavailable` */
  static async open(stream: string, subjects: string, options: WorkQueueOptions): Promise<WorkQueue> {
    const { replicas = 1, ackWaitMs = ACK_WAIT_MS } = options;
    if (!(ackWaitMs >= SHORTEST_ACK_WAIT_MS)) {
      throw new Terminal({
        code: 'bad-ack-wait',
        message: `ackWaitMs: expected at least ${SHORTEST_ACK_WAIT_MS} ms, got ${ackWaitMs}.`,
        advice: `Lease work for ${SHORTEST_ACK_WAIT_MS} ms or more.`,
      });
    }
    const manager = await patientManager(options.connection, `opening ${stream}`);
    await ensureStream(manager, {
      name: stream,
      subjects: [subjects],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      discard_new_per_subject: true,
      max_msgs_per_subject: 1,
      max_msgs: MAX_MESSAGES,
      num_replicas: replicas,
    });
    return new WorkQueue(stream, { ...options, ackWaitMs }, manager);
  }

  /** Puts the subject's message into the queue. @returns false when it is there already, leased or not */
  async publish(subject: string): Promise<boolean> {
    try {
      await this.#client.publish(subject);
      return true;
    } catch (error) {
      if (isSubjectTaken(error)) return false;
      throw natsError(error, `queueing ${subject}`);
    }
  }

  /**
   * Takes the subject's message out of the queue, if there is one, and puts another in its place. In between a crash
   * may leave none.
   */
  async replace(subject: string, body: string): Promise<void> {
    try {
      const stored = await this.#manager.streams.getMessage(this.#stream, { last_by_subj: subject });
      if (stored) await this.#manager.streams.deleteMessage(this.#stream, stored.seq, false);
      await this.#client.publish(subject, body);
    } catch (error) {
      // Somebody else has put one in between, which is delivered at once too.
      if (!isSubjectTaken(error)) throw natsError(error, `queueing ${subject} again`);
    }
  }

  async has(subject: string): Promise<boolean> {
    try {
      return (await this.#manager.streams.getMessage(this.#stream, { last_by_subj: subject })) !== null;
    } catch (error) {
      throw natsError(error, `looking up ${subject}`);
    }
  }

  /** How many messages there are, and when the oldest was published. */
  async waiting(): Promise<Waiting> {
    try {
      const { messages, first_ts } = (await this.#manager.streams.info(this.#stream)).state;
      return { entries: messages, ...(messages > 0 && { oldestAt: Date.parse(first_ts) }) };
    } catch (error) {
      throw natsError(error, `counting the messages of ${this.#stream}`);
    }
  }

  /** Takes back every message that a consumer has delivered and that is still un-acked. */
  async free(consumer: string): Promise<void> {
    try {
      await this.#manager.consumers.delete(this.#stream, consumer);
    } catch (error) {
      if (isJetStreamError(error, JetStreamCode.CONSUMER_NOT_FOUND)) return;
      throw natsError(error, `freeing the leases of ${consumer}`);
    }
  }

  /**
   * The next message that matches the filter and that nobody holds; undefined when the signal fired.
   * @param first what must be done before a pull, again whenever the queue may have been lost
   */
  async pull(
    consumer: string,
    filter: string,
    signal: AbortSignal,
    first?: () => Promise<unknown>,
  ): Promise<Pulled | undefined> {
    const source = first ? this.#source(consumer, filter, first) : this.#keptSource(consumer, filter);
    return await pullOne(source, signal);
  }

  #keptSource(consumer: string, filter: string): PullSource {
    const source = this.#sources.get(consumer) ?? this.#source(consumer, filter);
    this.#sources.set(consumer, source);
    return source;
  }

  #source(consumer: string, filter: string, first?: () => Promise<unknown>): PullSource {
    const prepare = async () => {
      await first?.();
      await ensureConsumer(this.#manager, this.#stream, {
        durable_name: consumer,
        filter_subject: filter,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(this.ackWaitMs),
        max_ack_pending: MAX_ACK_PENDING,
      });
    };
    const { connection, ackWaitMs, log } = this;
    return { connection, stream: this.#stream, consumer, ackWaitMs, log, prepare };
  }
}
