import type { JsMsg } from '@nats-io/jetstream';
import type { ControlBody } from '#protocols/control/bodies';
import { MAX_CONTROL_LIFETIME_MS } from '#protocols/control/checks';
import type { ControlMessage } from '#protocols/control/message';
import { Retryable, Terminal, toSealionError } from '#protocols/errors';
import type { Receipt } from '#protocols/job/context';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import { orAborted } from '#runtime/async/or-aborted';
import { isNoResponders, natsError } from '#runtime/nats/errors';
import type { ColumnOffer, InboundOffer, InboundSession, OfferRefusal, PeerOptions } from '../../peers.ts';
import type { PeerContext } from '../context.ts';
import type { CreditBudget } from '../session/credit-budget.ts';
import { ReceivingSession } from '../session/receiving-session.ts';
import { mailSubject, newToken, sessionSubject } from '../subjects.ts';
import { tracesOf } from '../trace-headers.ts';
import { post } from './post.ts';

/** How long a primary has to confirm our answer, ms. */
const ANSWER_MS = 10_000;

/** An offer from our mailbox, held un-acked until it is completed. */
export class HeldOffer implements InboundOffer {
  readonly offer: ColumnOffer;
  readonly #context: PeerContext;
  readonly #control: ControlMessage<'offer'>;
  readonly #plan: PayloadPlan;
  readonly #budget: CreditBudget;
  readonly #onSettled: () => void;
  readonly #renewal: NodeJS.Timeout;
  #message: JsMsg;
  #session: ReceivingSession | undefined;
  #settled = false;

  constructor(
    context: PeerContext,
    budget: CreditBudget,
    message: JsMsg,
    control: ControlMessage<'offer'>,
    onSettled: () => void,
  ) {
    this.#context = context;
    this.#budget = budget;
    this.#message = message;
    this.#control = control;
    this.#onSettled = onSettled;
    const [trace] = tracesOf(message.headers);
    this.offer = { ...toOffer(control), ...(trace !== undefined && { trace }) };
    this.#plan = planPayload(this.offer);
    this.#renewal = setInterval(() => this.#renew(), context.times.ackWait / 3);
    this.#note();
  }

  /** Position in the mailbox; a repeated offer has a new one. */
  get sequence(): number {
    return this.#message.seq;
  }

  async accept(firstMissing: number, options: PeerOptions = {}): Promise<InboundSession> {
    if (this.#settled) throw withdrawn();
    if (!Number.isInteger(firstMissing) || firstMissing < 0 || firstMissing > this.#plan.segmentCount) {
      throw new Terminal({
        code: 'bad-segment-index',
        message: `The column cannot be wanted from segment ${firstMissing} of ${this.#plan.segmentCount} on.`,
      });
    }
    const { token: replyToken } = this.#control.body;
    const token = newToken();
    this.#session?.close();
    const session = new ReceivingSession(this.#context, {
      about: this.#control,
      from: this.#control.from,
      re: this.#control.nonce,
      budget: this.#budget,
      plan: this.#plan,
      firstMissing,
      token,
      replyToken,
    });
    this.#session = session;
    try {
      await this.#answer('accept', { re: this.#control.nonce, firstMissing, token }, options.signal);
      return session;
    } catch (error) {
      session.finish();
      throw error;
    }
  }

  async receipt(receipt: Receipt): Promise<void> {
    const { integrityHash, approvalSignature, blsSignature } = receipt;
    await this.#post('receipt', { re: this.#control.nonce, integrityHash, approvalSignature, blsSignature });
    await this.#settle((message) => message.ack());
  }

  async refuse(reason: OfferRefusal): Promise<void> {
    if (this.#settled) return;
    const refusal = { re: this.#control.nonce, ...reason };
    if (this.#session) await this.#post('refusal', refusal);
    else await this.#answer('refusal', refusal).catch(ignoreWithdrawn);
    await this.#settle((message) => message.ack());
  }

  async postpone(delayMs: number): Promise<void> {
    this.#session?.close();
    await this.#settle((message) => message.nak(delayMs));
  }

  /** The mailbox has redelivered the same offer, since our last renewal was too long ago. */
  redelivered(message: JsMsg): void {
    // A redelivered message is acknowledged on another subject.
    void this.#context.notes?.drop(ackSubjectOf(this.#message));
    this.#message = message;
    this.#renew();
  }

  /** A newer offer for the same column has replaced this one. */
  supersede(): void {
    this.#session?.finish();
    void this.#settle((message) => message.ack());
  }

  /** Answers the waiting primary; if nobody is there, the offer is void. */
  async #answer<K extends 'accept' | 'refusal'>(
    kind: K,
    body: ControlBody<K>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { connection, codec, spId, times, closed } = this.#context;
    const { from, body: offer } = this.#control;
    const expiresAt = Date.now() + times.offer;
    const { bytes } = await codec.seal({ kind, to: from, about: this.#control, expiresAt, body });
    const subject = `${sessionSubject(from, spId, offer.token)}.answer`;
    try {
      await orAborted(connection.request(subject, bytes, { timeout: ANSWER_MS }), signal, closed);
    } catch (error) {
      if (!isNoResponders(error)) throw natsError(error, `answering SP ${from}`, 'peer-unreachable');
      await this.#settle((message) => message.ack());
      throw withdrawn(error);
    }
  }

  async #post<K extends 'receipt' | 'refusal'>(kind: K, body: ControlBody<K>): Promise<void> {
    const { connection, codec, spId, closed } = this.#context;
    const { from, job, redundancyIndex } = this.#control;
    const expiresAt = Date.now() + MAX_CONTROL_LIFETIME_MS;
    const { bytes } = await codec.seal({ kind, to: from, about: this.#control, expiresAt, body });
    const subject = mailSubject('receipt', { job, redundancyIndex, from: spId, to: from });
    await post(connection, subject, bytes, closed);
  }

  async #settle(how: (message: JsMsg) => void): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    clearInterval(this.#renewal);
    this.#session?.finish();
    this.#onSettled();
    // As soon as it is given back, another node may have it.
    await this.#context.notes?.drop(ackSubjectOf(this.#message));
    this.#tellMailbox(how);
  }

  #renew(): void {
    this.#tellMailbox((held) => held.working());
    this.#note();
  }

  /** The next process of this node gives the offer back if this one has not settled it. */
  #note(): void {
    void this.#context.notes?.note(ackSubjectOf(this.#message), this.#context.times.ackWait);
  }

  /** If the connection is closed, the message is lost and the mailbox delivers the offer again. */
  #tellMailbox(how: (message: JsMsg) => void): void {
    try {
      how(this.#message);
    } catch (error) {
      this.#context.log.warn(
        { error: natsError(error, 'completing an offer') },
        'could not complete an offer in its mailbox',
      );
    }
  }
}

/** Converts an offer from its wire form to that of the port. */
export function toOffer(control: ControlMessage<'offer'>): ColumnOffer {
  const { token: _, ...offer } = control.body;
  const { job, from, to, gvgId, redundancyIndex } = control;
  return { ...offer, job, from, to, gvgId, redundancyIndex };
}

/** Where acknowledgements of a message go: the library's messages have it, its type does not say so. */
function ackSubjectOf(message: JsMsg): string {
  return (message as JsMsg & { readonly reply: string }).reply;
}

function withdrawn(cause?: unknown): Retryable {
  return new Retryable({
    code: 'offer-withdrawn',
    message: 'The primary no longer waits for an answer to this offer.',
    advice: 'Nothing to do: it offers the column again when it needs to.',
    cause,
  });
}

function ignoreWithdrawn(error: unknown): void {
  const known = toSealionError(error);
  if (known.code !== 'offer-withdrawn') throw known;
}
