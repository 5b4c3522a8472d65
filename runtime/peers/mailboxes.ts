import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { MAX_CONTROL_LIFETIME_MS } from '../../protocols/replication/control-message.ts';
import { isJetStreamError, natsError } from '../nats/errors.ts';
import { type ColumnId, type MailKind, mailbox, mailSubject } from './subjects.ts';

const OFFERS = 'OFFERS';
const RECEIPTS = 'RECEIPTS';
const RECEIVERS = 'receivers';

/** Bytes of all mail of one kind; the oldest goes when there is more. */
const MAIL_BYTES = 256 * 1024 * 1024;

/** A postponed offer keeps its place among the held ones, so there must be places for many. */
const HELD_OFFERS = 100_000;

/** The names are taken, with another configuration (nats-server, `server/errors.json`). */
const STREAM_EXISTS = 10058;
const CONSUMER_EXISTS = 10148;

export interface MailboxOptions {
  /** Connection to the SP's own account. */
  readonly home: NatsConnection;
  readonly spId: number;
  /** Copies of the streams: 1, or 3 in a cluster of servers. */
  readonly replicas: number;
  /** An offer whose holder is silent for so long (ms) is given to another node. */
  readonly ackWaitMs: number;
}

/** The streams in the SP's own account in which the other SPs' offers and receipts rest. */
export interface Mailboxes {
  /** Shared by all nodes of the SP: each offer goes to one of them. */
  offers(): Promise<Consumer>;
  /** For this node alone: all receipts from now on, in order. */
  receipts(): Promise<Consumer>;
  /** The receipt that rests for a column; undefined when there is none. */
  receipt(column: ColumnId): Promise<Uint8Array | undefined>;
}

/**
 * Opens the mailboxes, and makes them where they are missing.
 * @throws Retryable `nats-unavailable`; Terminal `jetstream-disabled`
 */
export async function openMailboxes(options: MailboxOptions): Promise<Mailboxes> {
  const { home, ackWaitMs } = options;
  const js = jetstream(home);
  const doing = <T>(what: string, result: Promise<T>): Promise<T> =>
    result.catch((error: unknown) => {
      throw natsError(error, what);
    });
  const manager = await doing('opening the mailboxes', jetstreamManager(home));
  await doing('making the stream of offers', ensureStream(manager, stream(OFFERS, 'offer', options)));
  await doing('making the stream of receipts', ensureStream(manager, stream(RECEIPTS, 'receipt', options)));
  await doing('making the consumer of offers', ensureConsumer(manager, ackWaitMs));
  return {
    offers: () => doing('reading offers', js.consumers.get(OFFERS, RECEIVERS)),
    receipts: () =>
      doing('reading receipts', js.consumers.get(RECEIPTS, { deliver_policy: DeliverPolicy.New })),
    async receipt(column) {
      const query = { last_by_subj: mailSubject('receipt', column) };
      const found = manager.streams.getMessage(RECEIPTS, query);
      return (await doing(`looking for a receipt of SP ${column.from}`, found))?.data;
    },
  };
}

type NamedConfig = Partial<StreamConfig> & { readonly name: string };

/** A repeated message replaces the one before it; what nobody took in an hour is stale. */
function stream(name: string, kind: MailKind, options: MailboxOptions): NamedConfig {
  return {
    name,
    subjects: [mailbox(kind, options.spId)],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: options.replicas,
    max_msgs_per_subject: 1,
    max_age: nanos(MAX_CONTROL_LIFETIME_MS),
    max_bytes: MAIL_BYTES,
    discard: DiscardPolicy.Old,
  };
}

async function ensureStream(manager: JetStreamManager, config: NamedConfig): Promise<void> {
  try {
    await manager.streams.add(config);
  } catch (error) {
    if (!isJetStreamError(error, STREAM_EXISTS)) throw error;
    await manager.streams.update(config.name, config);
  }
}

async function ensureConsumer(manager: JetStreamManager, ackWaitMs: number): Promise<void> {
  const changeable = { ack_wait: nanos(ackWaitMs), max_ack_pending: HELD_OFFERS, max_deliver: -1 };
  try {
    await manager.consumers.add(OFFERS, {
      durable_name: RECEIVERS,
      ack_policy: AckPolicy.Explicit,
      ...changeable,
    });
  } catch (error) {
    if (!isJetStreamError(error, CONSUMER_EXISTS)) throw error;
    await manager.consumers.update(OFFERS, RECEIVERS, changeable);
  }
}
