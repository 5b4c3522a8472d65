import { type Deferred, deferred, type NatsConnection } from '@nats-io/nats-core';
import { Cancelled, Retryable, type SealionError, throwIfAborted } from '#protocols/errors';
import { nextTurn } from '#runtime/async/turns';
import { natsError } from '#runtime/nats/errors';
import type { SendWindow } from './send-window.ts';
import {
  type Abort,
  type Credit,
  type Demand,
  pieceHeaders,
  sessionAborted,
  writeAbort,
} from './session-wire.ts';

export interface OutboundStreamOptions {
  readonly connection: NatsConnection;
  /** The receiver's end of the session. */
  readonly subject: string;
  /** Shared by all streams to the same SP. */
  readonly window: SendWindow;
  /** Bytes of the largest piece message. */
  readonly messageBytes: number;
  /** After this time without progress the receiver counts as stalled, ms. */
  readonly stallMs: number;
}

/** The sender's half of a session: puts bytes on the wire as fast as the receiver's credit allows. */
export class OutboundStream {
  readonly #options: OutboundStreamOptions;
  readonly #ended = new AbortController();
  readonly #beat: NodeJS.Timeout;
  #wanted = 0;
  #granted = 0;
  #sent = 0;
  #consumed = 0;
  #progressAt = performance.now();
  #creditGrown: Deferred<void> | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: OutboundStreamOptions) {
    this.#options = options;
    this.#beat = setInterval(() => this.#watch(), options.stallMs / 6);
  }

  /** Subject of the receiver's end. */
  get subject(): string {
    return this.#options.subject;
  }

  /** Bytes put on the wire so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Fires when the stream has ended, with the reason. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Resolves when every byte has been sent. Calls are queued in order. An aborted call ends the stream, since the
   * receiver may have a part of its bytes.
   * @throws Retryable `peer-stalled`, `session-aborted`; Cancelled
   */
  async send(bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const abort = () => this.fail(aborted(signal?.reason));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      throwIfAborted(this.#ended.signal);
      this.#wanted += bytes.length;
      this.#demand();
      const sent = this.#turn.then(() => this.#transmit(bytes));
      this.#turn = sent.catch(() => undefined);
      await sent;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Handles a message of the receiver. */
  onCredit(credit: Credit): void {
    if (this.#ended.signal.aborted) return;
    const grown = credit.granted > this.#granted || credit.consumed > this.#consumed;
    const owed = this.#wanted > credit.granted || this.#sent > credit.consumed;
    if (grown || !owed) this.#progressAt = performance.now();
    this.#granted = Math.max(this.#granted, credit.granted);
    const consumed = Math.min(Math.max(this.#consumed, credit.consumed), this.#sent);
    this.#options.window.release(consumed - this.#consumed);
    this.#consumed = consumed;
    if (this.#granted > this.#sent) this.#creditGrown?.resolve();
  }

  /** Handles a message of the receiver. */
  onAbort(abort: Abort): void {
    this.end(sessionAborted(abort));
  }

  /** Ends the stream, and tells the receiver. */
  fail(reason: SealionError): void {
    if (this.#ended.signal.aborted) return;
    const { connection, subject } = this.#options;
    this.#say(() => connection.publish(`${subject}.abort`, writeAbort(reason)));
    this.end(reason);
  }

  /** Ends the stream with the reason that its users get; the first one counts. */
  end(reason: SealionError): void {
    if (this.#ended.signal.aborted) return;
    clearInterval(this.#beat);
    this.#ended.abort(reason);
    this.#creditGrown?.reject(reason);
    this.#options.window.release(this.#sent - this.#consumed);
  }

  async #transmit(bytes: Uint8Array): Promise<void> {
    const { connection, subject, window, messageBytes } = this.#options;
    let rest = bytes;
    while (rest.length > 0) {
      await this.#credit();
      const body = rest.subarray(0, Math.min(messageBytes, this.#granted - this.#sent));
      await window.enter(body.length, this.#ended.signal);
      await nextTurn();
      // The end released the bytes in flight; the room that was taken here is not among them.
      if (this.#ended.signal.aborted) window.release(body.length);
      throwIfAborted(this.#ended.signal);
      this.#say(() => connection.publish(`${subject}.piece`, body, { headers: pieceHeaders(this.#sent) }));
      this.#sent += body.length;
      rest = rest.subarray(body.length);
    }
  }

  async #credit(): Promise<void> {
    throwIfAborted(this.#ended.signal);
    if (this.#granted > this.#sent) return;
    this.#creditGrown = deferred<void>();
    await this.#creditGrown;
  }

  #watch(): void {
    if (performance.now() - this.#progressAt > this.#options.stallMs) {
      this.fail(
        new Retryable({
          code: 'peer-stalled',
          message: `The other SP accepted no bytes for ${this.#options.stallMs / 1000} s.`,
          advice:
            'The SP has stopped, is unreachable or overloaded; pieces that it has stored are not sent again.',
        }),
      );
    } else this.#demand();
  }

  /** Repeated periodically, so that neither a lost credit message nor lost bytes leave both ends waiting. */
  #demand(): void {
    const demand: Demand = { want: this.#wanted, sent: this.#sent };
    const { connection, subject } = this.#options;
    this.#say(() => connection.publish(`${subject}.demand`, JSON.stringify(demand)));
  }

  /** A closed connection ends the stream. */
  #say(publish: () => void): void {
    try {
      publish();
    } catch (error) {
      this.end(natsError(error, 'sending a column', 'peer-unreachable'));
    }
  }
}

function aborted(cause: unknown): Cancelled {
  return new Cancelled({ code: 'aborted', message: 'The transfer of a column was aborted.', cause });
}
