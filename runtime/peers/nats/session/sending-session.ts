import { type Deferred, deferred, type Msg, type Subscription } from '@nats-io/nats-core';
import type { ControlBody } from '#protocols/control/bodies';
import { MAX_CONTROL_LIFETIME_MS } from '#protocols/control/checks';
import type { ControlSubject } from '#protocols/control/header';
import { Cancelled, Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import type { Receipt } from '#protocols/job/context';
import type { PayloadPlan } from '#protocols/payload/plan';
import { orAborted } from '#runtime/async/or-aborted';
import { isNoResponders, isTimeout, natsError } from '#runtime/nats/errors';
import type { OutboundPiece, PeerOptions, ReplicationSession } from '../../peers.ts';
import { checkReply, answer as respond } from '../answer.ts';
import type { PeerContext } from '../context.ts';
import { post } from '../mail/post.ts';
import { type OfferReply, type Receipts, toReceipt } from '../mail/receipts.ts';
import { offerRefused, offerUnanswered } from '../offer-failures.ts';
import { type ColumnId, lastToken, mailSubject, newToken, sessionSubject } from '../subjects.ts';
import { OutboundStream } from './outbound-stream.ts';
import type { SendWindow } from './send-window.ts';
import { readAbort, readCredit } from './session-wire.ts';

export interface SendingSessionOptions {
  readonly about: ControlSubject;
  /** SP id of the secondary. */
  readonly to: number;
  /** The traceparent of the column. */
  readonly trace?: string;
  readonly plan: PayloadPlan;
  /** The seven integrity hashes. */
  readonly checksums: readonly Hex[];
  readonly messageBytes: number;
  readonly window: SendWindow;
  readonly receipts: Receipts;
}

/** The primary's side of one offer, from its creation to its receipt. */
export class SendingSession implements ReplicationSession {
  readonly #context: PeerContext;
  readonly #options: SendingSessionOptions;
  readonly #column: ColumnId;
  readonly #subscription: Subscription;
  readonly #stopListening: () => void;
  readonly #answered: Deferred<void> = deferred();
  readonly #receipt: Deferred<Receipt> = deferred();
  readonly #onClosed = () => this.close();
  /** Where we listen: `session.<from>.<to>.<token>`. */
  readonly #token = newToken();
  /** Nonce of the offer. */
  #nonce: string | undefined;
  #stream: OutboundStream | undefined;
  #firstMissing = 0;
  /** First segment whose piece is neither stored nor sent. */
  #next = 0;
  #over = false;
  #opening = false;

  constructor(context: PeerContext, options: SendingSessionOptions) {
    const { about, to } = options;
    this.#context = context;
    this.#options = options;
    this.#column = { job: about.job, redundancyIndex: about.redundancyIndex, from: to, to: context.spId };
    // Errors reach the callers that wait for these promises; there may be none.
    this.#answered.catch(() => undefined);
    this.#receipt.catch(() => undefined);
    this.#subscription = context.connection.subscribe(`${sessionSubject(context.spId, to, this.#token)}.*`, {
      callback: (error, message) => {
        if (error)
          this.#end(natsError(error, 'subscribing to the answers of another SP', 'peer-unreachable'));
        else this.#hear(message);
      },
    });
    this.#stopListening = options.receipts.listen(this.#column, about, (outcome) => this.#onReply(outcome));
    context.closed.addEventListener('abort', this.#onClosed, { once: true });
  }

  get firstMissing(): number {
    return this.#firstMissing;
  }

  /**
   * Sends the offer, and waits until the secondary requests the column or proves that it has it.
   * @throws Retryable `peer-unreachable`, `offer-refused`; Terminal `offer-refused`; Cancelled
   */
  async offer(body: Omit<ControlBody<'offer'>, 'token'>, signal?: AbortSignal): Promise<void> {
    const { connection, codec, spId, times } = this.#context;
    const { about, to, trace } = this.#options;
    const timer = setTimeout(() => this.#end(offerUnanswered(to, times.offer)), times.offer);
    try {
      const message = await codec.seal({
        kind: 'offer',
        to,
        about,
        expiresAt: Date.now() + MAX_CONTROL_LIFETIME_MS,
        body: { ...body, token: this.#token },
      });
      this.#nonce = message.nonce;
      const { job, redundancyIndex } = about;
      const subject = mailSubject('offer', { job, redundancyIndex, from: spId, to });
      await Promise.all([
        post(connection, subject, message.bytes, signal, trace),
        orAborted(this.#answered, signal),
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Completes the session: the secondary already has the column, and this is its receipt. */
  complete(receipt: Receipt): void {
    this.#firstMissing = this.#options.plan.segmentCount;
    this.#next = this.#firstMissing;
    this.#receipt.resolve(receipt);
    this.#answered.resolve();
    this.#end(new Cancelled({ code: 'session-settled', message: 'The receipt has arrived.' }), 'quietly');
  }

  async send(piece: OutboundPiece, options: PeerOptions = {}) {
    const { plan } = this.#options;
    const { segmentIndex, bytes, giveBack } = piece;
    if (segmentIndex !== this.#next || bytes.length !== plan.pieceLength(segmentIndex)) {
      throw new Terminal({
        code: 'wrong-piece',
        message: `Segment ${segmentIndex} with ${bytes.length} bytes is not the next piece (${this.#next}).`,
      });
    }
    this.#next += 1;
    await this.#stream?.send(bytes, options.signal);
    if (giveBack) {
      // What was published before a ping has left this process when its pong comes.
      this.#context.connection.flush().then(giveBack, () => undefined);
    }
  }

  async done(checksums: readonly Hex[], options: PeerOptions = {}): Promise<Receipt> {
    const stream = this.#stream;
    if (!stream) return orAborted(this.#receipt, options.signal);
    if (this.#next < this.#options.plan.segmentCount) {
      throw new Terminal({
        code: 'column-incomplete',
        message: `Only ${this.#next} of ${this.#options.plan.segmentCount} pieces were sent.`,
      });
    }
    const { bytes } = await this.#context.codec.seal({
      kind: 'done',
      to: this.#options.to,
      about: this.#options.about,
      expiresAt: Date.now() + this.#context.times.stall,
      body: { re: this.#nonce ?? '', checksums: [...checksums], sent: stream.sent },
    });
    void this.#sayDone(stream, bytes);
    try {
      return await orAborted(this.#receipt, stream.ended, options.signal);
    } catch (error) {
      if (!stream.ended.aborted) throw error;
      // The receipt may be in the mailbox although the session has ended.
      const stored = await this.#options.receipts.stored(this.#column, this.#options.about);
      const receipt = stored && (await this.receiptIn(stored));
      if (receipt) return receipt;
      throw error;
    }
  }

  close(): void {
    this.#end(new Cancelled({ code: 'session-closed', message: 'The primary closed the session.' }));
  }

  /**
   * Repeats `done` until the secondary confirms it. The confirmation says no more than that: the receipt comes by mail.
   */
  async #sayDone(stream: OutboundStream, message: Uint8Array): Promise<void> {
    const { connection, times } = this.#context;
    while (!stream.ended.aborted) {
      try {
        await connection.request(`${stream.subject}.done`, message, { timeout: times.stall / 6 });
        return;
      } catch (error) {
        if (isTimeout(error)) continue;
        stream.end(
          isNoResponders(error) ? gone(error) : natsError(error, 'ending a column', 'peer-unreachable'),
        );
      }
    }
  }

  #hear(message: Msg): void {
    switch (lastToken(message.subject)) {
      case 'answer':
        if (!this.#opening && this.#context.senderLimits.allows(this.#options.to))
          void this.#onAnswer(message);
        break;
      case 'credit': {
        const credit = readCredit(message);
        if (credit) this.#stream?.onCredit(credit);
        break;
      }
      case 'abort': {
        const abort = readAbort(message);
        if (abort) this.#stream?.onAbort(abort);
      }
    }
  }

  /** Handles one answer at a time; the first valid one counts, and only that is confirmed to the secondary. */
  async #onAnswer(message: Msg): Promise<void> {
    const { connection, codec, spId, times, senderLimits } = this.#context;
    const { about, to, plan, window, messageBytes } = this.#options;
    this.#opening = true;
    try {
      const expected = { kinds: ['accept', 'refusal'], from: to, about } as const;
      const answer = await codec.open(message.data, expected);
      if (answer.body.re !== this.#nonce || this.#stream || this.#over) throw misdirected();
      checkReply(message, to);
      if (answer.kind === 'refusal') {
        respond(message, to);
        this.#end(offerRefused('offer-refused', to, answer.body), 'quietly');
        return;
      }
      const { body } = answer;
      this.#firstMissing = Math.min(body.firstMissing, plan.segmentCount);
      this.#next = this.#firstMissing;
      const subject = sessionSubject(to, spId, body.token);
      this.#stream = new OutboundStream({ connection, subject, window, messageBytes, stallMs: times.stall });
      respond(message, to);
      this.#answered.resolve();
    } catch (error) {
      senderLimits.rejected(to, error, 'rejected an answer to an offer');
    } finally {
      this.#opening = false;
    }
  }

  /** The receipt in a reply; one given for an earlier offer is valid too, if it is for the same content. */
  async receiptIn(outcome: OfferReply): Promise<Receipt | undefined> {
    if (outcome.kind === 'refusal') return undefined;
    const { codec } = this.#context;
    const isOurs = outcome.body.re === this.#nonce || (await codec.isFor(outcome, this.#options.checksums));
    return isOurs ? toReceipt(outcome) : undefined;
  }

  /** @returns false when the reply does not belong to this session */
  async #onReply(outcome: OfferReply): Promise<boolean> {
    try {
      const receipt = await this.receiptIn(outcome);
      if (receipt) this.complete(receipt);
      else if (outcome.kind === 'refusal' && outcome.body.re === this.#nonce) {
        this.#end(offerRefused('receipt-refused', this.#options.to, outcome.body), 'quietly');
      } else return false;
    } catch (error) {
      const { log } = this.#context;
      log.warn({ error: toSealionError(error), from: outcome.from }, 'could not check a receipt');
    }
    return true;
  }

  #end(reason: SealionError, how?: 'quietly'): void {
    if (this.#over) return;
    this.#over = true;
    this.#answered.reject(reason);
    this.#receipt.reject(reason);
    if (how === 'quietly') this.#stream?.end(reason);
    else this.#stream?.fail(reason);
    this.#subscription.unsubscribe();
    this.#stopListening();
    this.#context.closed.removeEventListener('abort', this.#onClosed);
  }
}

function misdirected(): Terminal {
  return new Terminal({
    code: 'answer-misdirected',
    message: 'The answer belongs to another offer, or is a duplicate.',
  });
}

function gone(cause: unknown): Retryable {
  return new Retryable({
    code: 'peer-gone',
    message: 'The secondary left the session before sending its receipt.',
    advice: 'The next offer continues where this one ended.',
    cause,
  });
}
