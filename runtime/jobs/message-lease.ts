import type { NatsConnection } from '@nats-io/nats-core';
import { Cancelled, throwIfAborted } from '#protocols/errors';
import { natsError } from '../nats/errors.ts';
import type { LeaseNotes } from './lease-book.ts';
import { NAK, type Pulled } from './pull.ts';

const IN_PROGRESS = '+WPI';
const ACK = '+ACK';
/** A lease younger than this share of ack_wait need not be renewed at once. */
const FRESH = 20;

export interface MessageLeaseOptions {
  readonly connection: NatsConnection;
  readonly message: Pulled;
  readonly ackWaitMs: number;
  /** Where the lease is noted for the next process of this node. */
  readonly notes?: LeaseNotes | undefined;
  /** Called once, when the lease has ended in whatever way. */
  readonly onEnd?: () => void;
  /** Called once, when it has expired. */
  readonly onLost?: (() => void) | undefined;
}

/**
 * The right to work on something: a work queue message that is held un-acked. While its renewals are accepted, the
 * server gives the message to nobody else. The life of a lease:
 *
 * 1. It begins with a pull (`pull.ts`) and is valid for ack_wait from the moment at which the pull was sent.
 * 2. Every third of ack_wait, and at its begin if the pull had to wait, it is renewed (`+WPI`). An accepted renewal makes it valid for ack_wait from the moment at
 *    which the *renewal was sent*: the server's own clock started later, so it cannot hand the message on before our
 *    clock says so. Two renewals may fail without harm.
 * 3. It ends in one of four ways: `ack` (the work is done, the message is gone), `giveBack` (delivered again after a
 *    delay), `release` (given back while work may be running, so that `signal` fires first), or expiry (no renewal was
 *    accepted for ack_wait: `signal` fires with `lease-lost`, and another node may already be working).
 *
 * An expired lease stays expired. The server accepts a late renewal even for a message that it has already delivered
 * to another consumer, so its answer proves nothing. A lease that nobody ends keeps no process running.
 */
export class MessageLease {
  /** Resolves when the next process of this node would find the lease; work begins after that. */
  readonly noted: Promise<void> | undefined;
  readonly #options: MessageLeaseOptions;
  readonly #over = new AbortController();
  readonly #renewals: NodeJS.Timeout;
  #expiry: NodeJS.Timeout | undefined;
  #validUntil: number;
  #ended = false;
  #settled = false;
  #dropped: Promise<void> | undefined;

  constructor(options: MessageLeaseOptions) {
    this.#options = options;
    this.#validUntil = options.message.since + options.ackWaitMs;
    this.#renewals = setInterval(() => this.#renew(), options.ackWaitMs / 3).unref();
    this.#watchExpiry();
    this.noted = this.#note();
    // A pull that was answered at once leaves as much time as a renewal does.
    if (performance.now() - options.message.since > options.ackWaitMs / FRESH) this.#renew();
  }

  /** Fires when the last accepted renewal is older than ack_wait. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Ends the lease if its time is over. @throws Cancelled the reason of `signal`, once it has fired */
  mustHold(): void {
    if (!this.#ended && this.#isOver()) this.#expire();
    throwIfAborted(this.signal);
  }

  /** Removes the message from the queue, whoever holds it. After a successful `ack` or `giveBack`, both do nothing. */
  async ack(): Promise<void> {
    await this.#settle(ACK);
  }

  /** Gives the message back for delivery after `delayMs`; does nothing once the lease has expired. */
  async giveBack(delayMs: number): Promise<void> {
    if (this.#isOver()) return;
    await this.#settle(delayMs > 0 ? `${NAK} ${JSON.stringify({ delay: delayMs * 1e6 })}` : NAK);
  }

  /** Fires the signal, then gives the message back at once. */
  async release(reason: Cancelled): Promise<void> {
    this.#over.abort(reason);
    await this.giveBack(0);
  }

  /** An answer that could not be sent may be tried again. */
  async #settle(answer: string): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    this.#end();
    try {
      // As soon as it is given back, another node may have it.
      await this.#dropped;
      await this.#send(answer);
    } catch (error) {
      this.#settled = false;
      throw error;
    }
  }

  #renew(): void {
    if (this.#isOver()) {
      this.#expire();
      return;
    }
    const sentAt = performance.now();
    this.#send(IN_PROGRESS).then(
      () => {
        this.#validUntil = Math.max(this.#validUntil, sentAt + this.#options.ackWaitMs);
        this.#watchExpiry();
        void this.#note();
      },
      // the next one may get through; if none does, the lease runs out
      () => undefined,
    );
  }

  #watchExpiry(): void {
    clearTimeout(this.#expiry);
    if (this.#ended) return;
    this.#expiry = setTimeout(
      () => (this.#isOver() ? this.#expire() : this.#watchExpiry()),
      this.#validUntil - performance.now(),
    ).unref();
  }

  #note(): Promise<void> | undefined {
    const { notes, message } = this.#options;
    if (this.#ended) return undefined;
    return notes?.note(message.ackSubject, this.#validUntil - performance.now());
  }

  #isOver(): boolean {
    return performance.now() >= this.#validUntil;
  }

  #expire(): void {
    if (!this.#ended) this.#options.onLost?.();
    this.#end();
    this.#over.abort(
      new Cancelled({
        code: 'lease-lost',
        message: `No renewal was accepted for ${this.#options.ackWaitMs} ms; another node may have the work now.`,
      }),
    );
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#renewals);
    clearTimeout(this.#expiry);
    this.#dropped = this.#options.notes?.drop(this.#options.message.ackSubject);
    this.#options.onEnd?.();
  }

  /** The server answers every kind of acknowledgement that asks for it. */
  async #send(body: string): Promise<void> {
    const { connection, message, ackWaitMs } = this.#options;
    try {
      await connection.request(message.ackSubject, body, { timeout: ackWaitMs / 3 });
    } catch (error) {
      throw natsError(error, `answering for ${message.subject}`);
    }
  }
}
