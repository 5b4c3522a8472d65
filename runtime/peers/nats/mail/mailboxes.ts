import {
  AckPolicy,
  type Consumer,
  DiscardPolicy,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { MAX_CONTROL_LIFETIME_MS } from '#protocols/control/checks';
import { isJetStreamError, JetStreamCode, natsError } from '#runtime/nats/errors';
import { patient, patientManager } from '#runtime/nats/patient';
import {
  type ConsumerSettings,
  ensureConsumer,
  ensureStream,
  type StreamSettings,
} from '#runtime/nats/streams';
import { INLINE_COLUMN } from '../limits.ts';
import { type ColumnId, type MailKind, mailFrom, mailSubject } from '../subjects.ts';

const RECEIVERS = 'receivers';
/** Streams created concurrently. */
const AT_ONCE = 16;

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * How much of our store the messages of one sender may take, by kind. An offer may carry a small column, which
 * base64 makes a third longer. When the limit is reached, new offers are refused, while of receipts the oldest is
 * removed.
 */
const BOUNDS = {
  offer: { max_msg_size: 2 * INLINE_COLUMN, max_bytes: 16 * MIB, max_msgs: 4_096 },
  receipt: { max_msg_size: 16 * KIB, max_bytes: 8 * MIB, max_msgs: 16_384 },
} as const;

export interface MailboxOptions {
  /** Connection to the SP's own account. */
  readonly home: NatsConnection;
  readonly spId: number;
  /** Replicas of the streams: 1, or 3 in a cluster of servers. */
  readonly replicas: number;
  /** ack_wait of an offer: after this time without a renewal it goes to another node, ms. */
  readonly ackWaitMs: number;
}

/**
 * The streams in the SP's own account that store the offers and receipts of other SPs: one of each kind per sender,
 * so that one sender can neither displace nor delay the messages of another.
 */
export class Mailboxes {
  readonly #options: MailboxOptions;
  readonly #manager: JetStreamManager;

  /** @throws Retryable `nats-unavailable`; Terminal `jetstream-disabled` */
  static async open(options: MailboxOptions): Promise<Mailboxes> {
    const mailboxes = new Mailboxes(options, await patientManager(options.home, 'opening the mailboxes'));
    await mailboxes.#removeFormer();
    return mailboxes;
  }

  private constructor(options: MailboxOptions, manager: JetStreamManager) {
    this.#options = options;
    this.#manager = manager;
  }

  /**
   * Creates the missing mailboxes of these senders.
   * @returns the created streams
   * @throws Retryable `nats-unavailable`; Terminal `stream-unfit`
   */
  async ensure(senders: readonly number[]): Promise<readonly string[]> {
    const present = new Set<string>();
    for await (const name of this.#names()) present.add(name);
    const missing = senders.flatMap((from) =>
      (['offer', 'receipt'] as const)
        .map((kind) => ({ kind, from }))
        .filter((box) => !present.has(nameOf(box))),
    );
    const made: string[] = [];
    for (let start = 0; start < missing.length; start += AT_ONCE) {
      const batch = missing.slice(start, start + AT_ONCE);
      await Promise.all(batch.map((box) => this.#make(box)));
      made.push(...batch.map(nameOf));
    }
    return made;
  }

  /**
   * The consumer of one sender's offers, shared by all nodes of the SP: each offer goes to one of them. Created if
   * it is missing.
   */
  async offers(from: number): Promise<Consumer> {
    const box = { kind: 'offer', from } as const;
    await this.#make(box);
    await ensureConsumer(this.#manager, nameOf(box), receivers(this.#options.ackWaitMs));
    const consumers = jetstream(patient(this.#options.home)).consumers;
    return doing(`reading the offers of SP ${from}`, consumers.get(nameOf(box), RECEIVERS));
  }

  /** The stored receipt of a column; undefined if there is none. */
  async receipt(column: ColumnId): Promise<Uint8Array | undefined> {
    const query = { last_by_subj: mailSubject('receipt', column) };
    const box = { kind: 'receipt', from: column.from } as const;
    const found = this.#manager.streams.getMessage(nameOf(box), query).catch((error: unknown) => {
      if (isJetStreamError(error, JetStreamCode.STREAM_NOT_FOUND)) return null;
      throw error;
    });
    return (await doing(`looking for a receipt of SP ${column.from}`, found))?.data;
  }

  async #make(box: Mailbox): Promise<void> {
    await ensureStream(this.#manager, stream(box, this.#options));
  }

  async *#names(): AsyncGenerator<string> {
    try {
      yield* this.#manager.streams.names();
    } catch (error) {
      throw natsError(error, 'listing the mailboxes');
    }
  }

  /**
   * Earlier releases had one stream for the offers of all senders and one for their receipts; what still counts is
   * sent again.
   */
  async #removeFormer(): Promise<void> {
    for await (const name of this.#names()) {
      if (name !== 'OFFERS' && name !== 'RECEIPTS') continue;
      await doing('removing a former mailbox', this.#manager.streams.delete(name));
    }
  }
}

interface Mailbox {
  readonly kind: MailKind;
  /** SP id. */
  readonly from: number;
}

function nameOf({ kind, from }: Mailbox): string {
  return `${kind === 'offer' ? 'OFFERS' : 'RECEIPTS'}_${from}`;
}

/** A repeated message replaces the previous one; after an hour a message is stale. */
function stream(box: Mailbox, { spId, replicas }: MailboxOptions): StreamSettings {
  const isOffer = box.kind === 'offer';
  return {
    name: nameOf(box),
    subjects: [mailFrom(box.kind, { from: box.from, to: spId })],
    // a completed offer is removed and frees its space
    retention: isOffer ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    max_age: nanos(MAX_CONTROL_LIFETIME_MS),
    ...BOUNDS[box.kind],
    discard: isOffer ? DiscardPolicy.New : DiscardPolicy.Old,
  };
}

/** A postponed offer counts as un-acked, so the limit must allow for all stored offers. */
function receivers(ackWaitMs: number): ConsumerSettings {
  return {
    durable_name: RECEIVERS,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    max_ack_pending: BOUNDS.offer.max_msgs,
    max_deliver: -1,
  };
}

async function doing<T>(what: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw natsError(error, what);
  }
}
