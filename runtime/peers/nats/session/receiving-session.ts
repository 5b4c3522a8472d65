import { type Deferred, deferred, type Msg, type Subscription } from '@nats-io/nats-core';
import type { ControlSubject } from '#protocols/control/header';
import { Cancelled, Terminal, toSealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { orAborted } from '#runtime/async/or-aborted';
import type { InboundPiece, InboundSession, PeerOptions } from '../../peers.ts';
import { answer, checkReply } from '../answer.ts';
import type { PeerContext } from '../context.ts';
import { lastToken, sessionSubject } from '../subjects.ts';
import { InboundStream, type InboundStreamOptions } from './inbound-stream.ts';
import { piecePosition, readAbort, readDemand } from './session-wire.ts';

export interface ReceivingSessionOptions
  extends Pick<InboundStreamOptions, 'plan' | 'firstMissing' | 'budget'> {
  readonly about: ControlSubject;
  /** SP id of the primary. */
  readonly from: number;
  /** Token of the primary's end. */
  readonly replyToken: string;
  /** Token of our end. */
  readonly token: string;
  /** Nonce of the offer. */
  readonly re: string;
}

/** The secondary's side of one accepted offer. */
export class ReceivingSession implements InboundSession {
  readonly #context: PeerContext;
  readonly #options: ReceivingSessionOptions;
  readonly #stream: InboundStream;
  readonly #subscription: Subscription;
  readonly #done: Deferred<readonly Hex[]> = deferred();
  #complete = false;
  #opening = false;

  constructor(context: PeerContext, options: ReceivingSessionOptions) {
    const { from, token, replyToken } = options;
    this.#context = context;
    this.#options = options;
    this.#stream = new InboundStream({
      ...options,
      sender: from,
      connection: context.connection,
      subject: sessionSubject(from, context.spId, replyToken),
      stallMs: context.times.stall,
      idleMs: context.times.idle,
      minRate: context.limits.minRate,
    });
    this.#subscription = context.connection.subscribe(`${sessionSubject(context.spId, from, token)}.*`, {
      callback: (error, message) => (error ? this.#stream.end(toSealionError(error)) : this.#hear(message)),
    });
    this.#stream.ended.addEventListener('abort', () => this.#subscription.unsubscribe(), { once: true });
  }

  pieces(options?: PeerOptions): AsyncIterable<InboundPiece> {
    return this.#stream.pieces(options?.signal);
  }

  done(options?: PeerOptions): Promise<readonly Hex[]> {
    return orAborted(this.#done, this.#stream.ended, options?.signal);
  }

  close(): void {
    this.#stream.fail(new Cancelled({ code: 'session-closed', message: 'The receiver closed the session.' }));
  }

  /** Ends without a message, since the receipt or a newer offer makes one unnecessary. */
  finish(): void {
    this.#stream.end(new Cancelled({ code: 'session-settled', message: 'The offer was completed.' }));
  }

  #hear(message: Msg): void {
    switch (lastToken(message.subject)) {
      case 'piece':
        this.#stream.onPiece(piecePosition(message), message.data);
        break;
      case 'demand': {
        const demand = readDemand(message);
        if (demand) this.#stream.onDemand(demand);
        break;
      }
      case 'abort': {
        const abort = readAbort(message);
        if (abort) this.#stream.onAbort(abort);
        break;
      }
      case 'done':
        if (!this.#opening && this.#context.senderLimits.allows(this.#options.from))
          void this.#onDone(message);
    }
  }

  /** Repeated until it is answered, so it may arrive more than once. */
  async #onDone(message: Msg): Promise<void> {
    const { about, from, re } = this.#options;
    this.#opening = true;
    try {
      if (!this.#complete) {
        const { body } = await this.#context.codec.open(message.data, { kinds: ['done'], from, about });
        checkReply(message, from);
        if (body.re !== re) throw misdirected();
        if (!this.#stream.completeAt(body.sent)) return;
        this.#complete = true;
        this.#done.resolve(body.checksums);
      }
      answer(message, from);
    } catch (error) {
      this.#context.senderLimits.rejected(from, error, 'rejected the end of a column');
    } finally {
      this.#opening = false;
    }
  }
}

function misdirected(): Terminal {
  return new Terminal({ code: 'done-misdirected', message: 'The message belongs to a different offer.' });
}
