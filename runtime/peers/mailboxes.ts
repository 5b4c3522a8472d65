import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { MAX_CONTROL_LIFETIME_MS } from '../../protocols/replication/control-message.ts';
import { natsError } from '../nats/errors.ts';
import { type ConsumerSettings, ensureConsumer, ensureStream, type StreamSettings } from '../nats/streams.ts';
import { type ColumnId, type MailKind, mailbox, mailSubject } from './subjects.ts';

const OFFERS = 'OFFERS';
const RECEIPTS = 'RECEIPTS';
const RECEIVERS = 'receivers';

/** Bytes of all mail of one kind; the oldest goes when there is more. */
const MAIL_BYTES = 256 * 1024 * 1024;

/** A postponed offer keeps its place among the held ones, so there must be places for many. */
const HELD_OFFERS = 100_000;

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
 * Opens the mailboxes, and makes them where they are missing; they are made again when they were lost.
 * @throws Retryable `nats-unavailable`; Terminal `jetstream-disabled`, `stream-unfit`
 */
export async function openMailboxes(options: MailboxOptions): Promise<Mailboxes> {
  const { home, ackWaitMs } = options;
  const js = jetstream(home);
  const doing = <T>(what: string, result: Promise<T>): Promise<T> =>
    result.catch((error: unknown) => {
      throw natsError(error, what);
    });
  const manager = await doing('opening the mailboxes', jetstreamManager(home));
  const makeOffers = async () => {
    await ensureStream(manager, stream(OFFERS, 'offer', options));
    await ensureConsumer(manager, OFFERS, receivers(ackWaitMs));
  };
  const makeReceipts = () => ensureStream(manager, stream(RECEIPTS, 'receipt', options));
  await makeOffers();
  await makeReceipts();
  return {
    async offers() {
      await makeOffers();
      return doing('reading offers', js.consumers.get(OFFERS, RECEIVERS));
    },
    async receipts() {
      await makeReceipts();
      const fromNowOn = { deliver_policy: DeliverPolicy.New };
      return doing('reading receipts', js.consumers.get(RECEIPTS, fromNowOn));
    },
    async receipt(column) {
      const query = { last_by_subj: mailSubject('receipt', column) };
      const found = manager.streams.getMessage(RECEIPTS, query);
      return (await doing(`looking for a receipt of SP ${column.from}`, found))?.data;
    },
  };
}

/** A repeated message replaces the one before it; what nobody took in an hour is stale. */
function stream(name: string, kind: MailKind, options: MailboxOptions): StreamSettings {
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

function receivers(ackWaitMs: number): ConsumerSettings {
  return {
    durable_name: RECEIVERS,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: HELD_OFFERS,
    max_deliver: -1,
  };
}
