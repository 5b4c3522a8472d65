import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { toSealionError } from '../../protocols/errors.ts';
import type { Receipt } from '../../protocols/job/context.ts';
import type { ControlSubject } from '../../protocols/replication/control-header.ts';
import type { ControlMessage } from '../../protocols/replication/control-message.ts';
import type { PeerContext } from './context.ts';
import type { Mailboxes } from './mailboxes.ts';
import { type ColumnId, mailSubject, parseMailSubject } from './subjects.ts';

/** What a secondary said in the end about one offer. */
export type Outcome = ControlMessage<'receipt' | 'refusal'>;

interface Listener {
  readonly column: ColumnId;
  readonly about: ControlSubject;
  readonly hear: (outcome: Outcome) => void;
}

const RETRY_MS = 1_000;

/** Receipts of all secondaries as they come into our mailbox. Those that nobody here waits for are dropped. */
export class Receipts {
  readonly #context: PeerContext;
  readonly #mailboxes: Mailboxes;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #home: NatsConnection;
  #messages: ConsumerMessages | undefined;
  #running: Promise<void> = Promise.resolve();

  /** @param home the connection that the mailboxes are read by */
  constructor(context: PeerContext, mailboxes: Mailboxes, home: NatsConnection) {
    this.#context = context;
    this.#mailboxes = mailboxes;
    this.#home = home;
  }

  /** Resolves when every receipt from now on will be heard. @throws Retryable `nats-unavailable` */
  async start(): Promise<void> {
    await this.#subscribe();
    this.#running = this.#read();
    void this.#beginAnewAfterReconnects();
  }

  async stop(): Promise<void> {
    await this.#messages?.close();
    await this.#running;
  }

  /** Hears outcomes for a column from now on, until the returned function is called. */
  listen(column: ColumnId, about: ControlSubject, hear: (outcome: Outcome) => void): () => void {
    const subject = mailSubject('receipt', column);
    const listener: Listener = { column, about, hear };
    const listeners = this.#listeners.get(subject) ?? new Set();
    this.#listeners.set(subject, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(subject) === listeners) this.#listeners.delete(subject);
    };
  }

  /** The outcome that rests in the mailbox. @throws Retryable `nats-unavailable` */
  async stored(column: ColumnId, about: ControlSubject): Promise<Outcome | undefined> {
    const bytes = await this.#mailboxes.receipt(column);
    return bytes && this.#open(bytes, column, about);
  }

  async #subscribe(): Promise<void> {
    const consumer = await this.#mailboxes.receipts();
    this.#messages = await consumer.consume();
  }

  async #read(): Promise<void> {
    const { closed, log } = this.#context;
    while (!closed.aborted) {
      try {
        if (!this.#messages) {
          await this.#subscribe();
          await this.#lookForMissed();
        }
        for await (const message of this.#messages ?? []) await this.#deliver(message);
      } catch (error) {
        log.warn({ error: toSealionError(error) }, 'reading receipts failed; trying again');
      }
      await this.#messages?.close();
      this.#messages = undefined;
      await sleep(RETRY_MS, undefined, { signal: closed }).catch(() => undefined);
    }
  }

  /**
   * A server that went down has forgotten the consumer, which is only in its memory; the client notices that after
   * half a minute of silence.
   */
  async #beginAnewAfterReconnects(): Promise<void> {
    for await (const { type } of this.#home.status()) {
      if (this.#context.closed.aborted) return;
      if (type === 'reconnect') this.#messages?.stop();
    }
  }

  /** While nobody read, receipts may have come. */
  async #lookForMissed(): Promise<void> {
    for (const listener of [...this.#listeners.values()].flatMap((set) => [...set])) {
      const outcome = await this.stored(listener.column, listener.about);
      if (outcome) listener.hear(outcome);
    }
  }

  async #deliver(message: JsMsg): Promise<void> {
    const column = parseMailSubject(message.subject);
    if (!column) return;
    for (const listener of this.#listeners.get(mailSubject('receipt', column)) ?? []) {
      const outcome = await this.#open(message.data, column, listener.about);
      if (outcome) listener.hear(outcome);
    }
  }

  async #open(bytes: Uint8Array, column: ColumnId, about: ControlSubject): Promise<Outcome | undefined> {
    try {
      const expected = { kinds: ['receipt', 'refusal'], from: column.from, about } as const;
      return await this.#context.desk.open(bytes, expected);
    } catch (error) {
      this.#context.log.warn({ error: toSealionError(error), from: column.from }, 'a receipt was not taken');
      return undefined;
    }
  }
}

/** As the job keeps it. */
export function toReceipt(message: ControlMessage<'receipt'>): Receipt {
  const { from: spId, gvgId, redundancyIndex, body } = message;
  const { integrityHash, approvalSignature, blsSignature } = body;
  return { spId, gvgId, redundancyIndex, integrityHash, approvalSignature, blsSignature };
}
