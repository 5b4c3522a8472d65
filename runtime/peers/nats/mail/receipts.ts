import { setTimeout as sleep } from 'node:timers/promises';
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import type { ControlSubject } from '#protocols/control/header';
import type { ControlMessage } from '#protocols/control/message';
import { toSealionError } from '#protocols/errors';
import type { Receipt } from '#protocols/job/context';
import { natsError } from '#runtime/nats/errors';
import type { PeerContext } from '../context.ts';
import { type ColumnId, mailbox, mailSubject, parseMailSubject } from '../subjects.ts';
import type { Mailboxes } from './mailboxes.ts';

/** The final answer of a secondary to an offer. */
export type OfferReply = ControlMessage<'receipt'> | ControlMessage<'refusal'>;

interface Listener {
  readonly column: ColumnId;
  readonly about: ControlSubject;
  /** @returns false when it is not the expected one */
  readonly hear: (outcome: OfferReply) => Promise<boolean>;
}

interface Arrived {
  readonly column: ColumnId;
  readonly bytes: Uint8Array;
}

const RETRY_MS = 1_000;

/**
 * Receipts of all secondaries as they arrive. We also subscribe to them directly, on their way into our mailboxes,
 * which keep those that were missed. A receipt that nobody on this node waits for costs only a check of its
 * subject.
 */
export class Receipts {
  readonly #context: PeerContext;
  readonly #mailboxes: Mailboxes;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #home: NatsConnection;
  /** By sender and subject: no more than there are listeners. */
  readonly #arrived = new Map<number, Map<string, Arrived>>();
  #subscription: Subscription | undefined;

  /** @param home the connection to the account of the mailboxes */
  constructor(context: PeerContext, mailboxes: Mailboxes, home: NatsConnection) {
    this.#context = context;
    this.#mailboxes = mailboxes;
    this.#home = home;
  }

  /** Resolves when every receipt from now on will be received. @throws Retryable `nats-unavailable` */
  async start(): Promise<void> {
    const { spId, log } = this.#context;
    this.#subscription = this.#home.subscribe(mailbox('receipt', spId), {
      callback: (error, message) => {
        if (error) log.error({ error: natsError(error, 'hearing receipts') }, 'could not receive receipts');
        else this.#hear(message);
      },
    });
    try {
      await this.#home.flush();
    } catch (error) {
      throw natsError(error, 'hearing receipts');
    }
    void this.#lookForMissedAfterReconnects();
  }

  stop(): void {
    this.#subscription?.unsubscribe();
  }

  /** Receives final answers for a column from now on, until the returned function is called. */
  listen(column: ColumnId, about: ControlSubject, hear: Listener['hear']): () => void {
    const subject = mailSubject('receipt', column);
    const listener: Listener = { column, about, hear };
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(subject) === listeners) this.#listeners.delete(subject);
    };
  }

  /** The final answer stored in the mailbox. @throws Retryable `nats-unavailable` */
  async stored(column: ColumnId, about: ControlSubject): Promise<OfferReply | undefined> {
    const bytes = await this.#mailboxes.receipt(column);
    return bytes && this.#open(bytes, column, about);
  }

  /** Receipts that arrived while we were disconnected are in the mailboxes. */
  async #lookForMissedAfterReconnects(): Promise<void> {
    for await (const { type } of this.#home.status()) {
      if (this.#context.closed.aborted) return;
      if (type !== 'reconnect') continue;
      for (const listener of [...this.#listeners.values()].flatMap((set) => [...set])) {
        await this.#lookForMissed(listener);
      }
    }
  }

  /** A recovering server may need several tries. */
  async #lookForMissed(listener: Listener): Promise<void> {
    const { closed, log } = this.#context;
    while (!closed.aborted && this.#listeners.get(mailSubject('receipt', listener.column))?.has(listener)) {
      try {
        const outcome = await this.stored(listener.column, listener.about);
        if (outcome) await listener.hear(outcome);
        return;
      } catch (error) {
        log.warn({ error: toSealionError(error) }, 'cannot look for missed receipts; trying again');
        await sleep(RETRY_MS, undefined, { signal: closed }).catch(() => undefined);
      }
    }
  }

  /** Only the latest of a column is checked, and one per sender at a time. */
  #hear(message: Msg): void {
    const column = parseMailSubject(message.subject);
    if (!column || !this.#listeners.has(mailSubject('receipt', column))) return;
    const arrived = this.#arrived.get(column.from);
    if (arrived) arrived.set(message.subject, { column, bytes: message.data });
    else {
      const first = new Map([[message.subject, { column, bytes: message.data }]]);
      this.#arrived.set(column.from, first);
      void this.#deliver(column.from, first);
    }
  }

  async #deliver(from: number, arrived: Map<string, Arrived>): Promise<void> {
    const { senderLimits } = this.#context;
    for (let next = takeFirst(arrived); next; next = takeFirst(arrived)) {
      const { column, bytes } = next;
      for (const listener of this.#listeners.get(mailSubject('receipt', column)) ?? []) {
        if (!senderLimits.allows(from)) break;
        const outcome = await this.#open(bytes, column, listener.about);
        // one that matches nothing is not an error, but their number must be limited
        if (outcome && !(await listener.hear(outcome))) senderLimits.charge(from);
      }
    }
    this.#arrived.delete(from);
  }

  async #open(bytes: Uint8Array, column: ColumnId, about: ControlSubject): Promise<OfferReply | undefined> {
    try {
      const expected = { kinds: ['receipt', 'refusal'], from: column.from, about } as const;
      return await this.#context.codec.open(bytes, expected);
    } catch (error) {
      this.#context.senderLimits.rejected(column.from, error, 'rejected an invalid receipt');
      return undefined;
    }
  }
}

function takeFirst<V>(map: Map<string, V>): V | undefined {
  for (const [key, value] of map) {
    map.delete(key);
    return value;
  }
  return undefined;
}

/** Converts a receipt to the form kept in the job. */
export function toReceipt(message: ControlMessage<'receipt'>): Receipt {
  const { from: spId, gvgId, redundancyIndex, body } = message;
  const { integrityHash, approvalSignature, blsSignature } = body;
  return { spId, gvgId, redundancyIndex, integrityHash, approvalSignature, blsSignature };
}
