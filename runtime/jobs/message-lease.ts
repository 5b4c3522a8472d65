import type { NatsConnection } from '@nats-io/nats-core';
import { Cancelled } from '#protocols/errors';
import { natsError } from '../nats/errors.ts';
import type { Pulled } from './pull.ts';

const IN_PROGRESS = '+WPI';
const ACK = '+ACK';

export interface MessageLeaseOptions {
  readonly connection: NatsConnection;
  readonly message: Pulled;
  readonly ackWaitMs: number;
  /** Called once, when the lease has ended in whatever way. */
  readonly onEnd?: () => void;
}

/**
 * A work queue message that is held un-acked: as long as its renewals are accepted, no other consumer gets it.
 * An accepted renewal counts from when it was sent, and a lease that is over stays over: the server takes a
 * late renewal too, even when the message was already given to another.
 */
export class MessageLease {
  readonly #options: MessageLeaseOptions;
  readonly #over = new AbortController();
  readonly #renewals: NodeJS.Timeout;
  #expiry: NodeJS.Timeout | undefined;
  #validUntil: number;
  #ended = false;
  #settled = false;

  constructor(options: MessageLeaseOptions) {
    this.#options = options;
    this.#validUntil = options.message.since + options.ackWaitMs;
    this.#renewals = setInterval(() => this.#renew(), options.ackWaitMs / 3);
    this.#watchExpiry();
    this.#renew();
  }

  /** Fires when the last accepted renewal is older than ack_wait. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Takes the message out of the queue, whoever holds it. Settled once: after it, both do nothing. */
  async ack(): Promise<void> {
    await this.#settle(ACK);
  }

  /** Gives the message back for delivery after `delayMs`; of a lease that is over there is nothing to give. */
  async giveBack(delayMs: number): Promise<void> {
    if (this.#isOver()) return;
    await this.#settle(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: delayMs * 1e6 })}` : '-NAK');
  }

  /** Fires the signal, then gives the message back at once. */
  async release(reason: Cancelled): Promise<void> {
    this.#over.abort(reason);
    await this.giveBack(0);
  }

  /** What could not be sent may be tried again. */
  async #settle(answer: string): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    this.#end();
    try {
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
    );
  }

  #isOver(): boolean {
    return performance.now() >= this.#validUntil;
  }

  #expire(): void {
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
