import { type Deferred, deferred, type NatsConnection } from '@nats-io/nats-core';
import { Cancelled, Retryable, type SealionError, throwIfAborted } from '#protocols/errors';
import type { PayloadPlan } from '#protocols/payload/plan';
import { natsError } from '#runtime/nats/errors';
import type { InboundPiece } from '../../peers.ts';
import type { SessionWord } from '../subjects.ts';
import type { CreditBudget, CreditLine } from './credit-budget.ts';
import { type Abort, type Credit, type Demand, sessionAborted, writeAbort } from './session-wire.ts';

export interface InboundStreamOptions {
  readonly plan: PayloadPlan;
  /** First segment whose piece is missing. */
  readonly firstMissing: number;
  readonly sender: number;
  readonly budget: CreditBudget;
  readonly connection: NatsConnection;
  /** The sender's end of the session. */
  readonly subject: string;
  /** The sender counts as stalled after so many ms without a message, or without bytes for which it has credit. */
  readonly stallMs: number;
  /** How long (ms) a session may go without a byte, or be slower than `minRate` on average, while we wait for the sender. */
  readonly idleMs: number;
  /**
   * Minimum average rate of the whole session, bytes per second, not counting the time that the sender waits for our
   * credit.
   */
  readonly minRate: number;
}

/** Maximum number of demands without a byte in between. */
const IDLE_WORDS = 1_000;

/**
 * The receiver's half of a session: bytes as they arrive, cut into pieces as they are read. Credit follows memory:
 *
 * - The sender's demand is passed to the credit line (`want`). The credit that the budget grants is sent back.
 * - A message that arrives waits in `#chunks`. Senders may send only as far as credit was granted, so `#chunks` is
 *   bounded.
 * - A chunk that was given to the reader is still in memory. It counts as consumed, and its credit is free, only when
 *   the reader asks for the next one (`#takeBack`).
 *
 * The time that a sender waits for our credit does not count against it: `idleMs` and `minRate` apply only while it
 * could send.
 */
export class InboundStream {
  readonly #options: InboundStreamOptions;
  readonly #line: CreditLine;
  readonly #ended = new AbortController();
  readonly #watch: NodeJS.Timeout;
  /** Total number of bytes expected over the wire. */
  readonly #expected: number;
  #received = 0;
  #chunks: Uint8Array[] = [];
  /** Bytes of the chunk that the reader is working on. */
  #lent = 0;
  #arrived: Deferred<void> | undefined;
  #wanted = 0;
  #heardAt = performance.now();
  /** Time that we have waited for the sender, in total and since its last byte, ms. */
  #waited = 0;
  #idle = 0;
  #checkedAt = performance.now();
  #idleWords = 0;
  #creditDue = false;

  constructor(options: InboundStreamOptions) {
    this.#options = options;
    this.#expected = bytesFrom(options.plan, options.firstMissing);
    this.#line = options.budget.open(options.sender, () => this.#tellCredit());
    this.#watch = setInterval(() => this.#check(), options.stallMs / 6);
  }

  /** Fires when the stream has ended, with the reason. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Pieces in segment order, for one reader. Unread bytes of a piece are discarded when the next one is requested. */
  async *pieces(signal?: AbortSignal): AsyncGenerator<InboundPiece> {
    const { plan, firstMissing } = this.#options;
    const abort = () => this.fail(aborted(signal?.reason));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for (let segmentIndex = firstMissing; segmentIndex < plan.segmentCount; segmentIndex++) {
        const size = plan.pieceLength(segmentIndex);
        const piece = { left: size };
        yield { segmentIndex, size, bytes: this.#read(piece) };
        this.#takeBack();
        for await (const _ of this.#read(piece));
      }
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Handles a piece message. */
  onPiece(at: number, body: Uint8Array): void {
    if (this.#ended.signal.aborted) return;
    if (at !== this.#received) {
      this.#lost(at);
    } else if (body.length === 0) {
      this.#broken('empty-piece', 'The sender sent an empty piece message.');
    } else if (at + body.length > this.#line.granted) {
      this.#broken('credit-exceeded', 'The sender sent more bytes than its credit.');
    } else {
      this.#heardAt = performance.now();
      this.#idle = 0;
      this.#idleWords = 0;
      this.#received += body.length;
      this.#chunks.push(body);
      this.#arrived?.resolve();
    }
  }

  /** Handles a message of the sender. */
  onDemand(demand: Demand): void {
    if (this.#ended.signal.aborted) return;
    if (demand.sent > this.#received) {
      this.#lost(demand.sent);
    } else if (demand.want > this.#expected) {
      this.#broken('column-too-long', 'The sender asked for credit beyond the length of the column.');
    } else if (++this.#idleWords > IDLE_WORDS) {
      this.#broken('peer-idle', `The sender asked for credit ${IDLE_WORDS} times and sent nothing.`);
    } else {
      const owed = this.#line.granted > this.#received;
      if (!owed) this.#heardAt = performance.now();
      this.#wanted = Math.max(this.#wanted, demand.want);
      this.#line.want(demand.want);
      this.#tellCredit();
    }
  }

  /** Handles the end of the sender's bytes. True when all have arrived; otherwise the stream ends. */
  completeAt(sent: number): boolean {
    if (this.#ended.signal.aborted) return false;
    if (sent === this.#expected && this.#received === this.#expected) return true;
    this.#lost(sent);
    return false;
  }

  /** Handles a message of the sender. */
  onAbort(abort: Abort): void {
    this.end(sessionAborted(abort));
  }

  /** Ends the stream, and tells the sender. */
  fail(reason: SealionError): void {
    if (this.#ended.signal.aborted) return;
    this.#say('abort', writeAbort(reason));
    this.end(reason);
  }

  /** Ends the stream with the reason that its reader gets; the first one counts. */
  end(reason: SealionError): void {
    if (this.#ended.signal.aborted) return;
    clearInterval(this.#watch);
    this.#ended.abort(reason);
    this.#chunks = [];
    this.#arrived?.reject(reason);
    this.#line.close();
  }

  async *#read(piece: { left: number }): AsyncGenerator<Uint8Array> {
    try {
      while (piece.left > 0) {
        const chunk = await this.#next(piece.left);
        piece.left -= chunk.length;
        this.#lent = chunk.length;
        yield chunk;
        this.#takeBack();
      }
    } finally {
      this.#takeBack();
    }
  }

  /** The reader has finished the last chunk: only now is its memory free. */
  #takeBack(): void {
    if (this.#lent === 0) return;
    this.#line.consume(this.#lent);
    this.#lent = 0;
    this.#tellCredit();
  }

  async #next(limit: number): Promise<Uint8Array> {
    if (this.#chunks.length === 0 && !this.#ended.signal.aborted) {
      this.#arrived = deferred<void>();
      await this.#arrived;
    }
    throwIfAborted(this.#ended.signal);
    const first = this.#chunks[0] as Uint8Array;
    if (first.length <= limit) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(limit);
    return first.subarray(0, limit);
  }

  /** Sends one message for all changes of one turn of the event loop. */
  #tellCredit(): void {
    if (this.#creditDue) return;
    this.#creditDue = true;
    queueMicrotask(() => {
      this.#creditDue = false;
      if (this.#ended.signal.aborted) return;
      const credit: Credit = { granted: this.#line.granted, consumed: this.#line.consumed };
      this.#say('credit', JSON.stringify(credit));
    });
  }

  /** Any message shows that the sender is alive; only bytes are progress. */
  #check(): void {
    const { stallMs, idleMs, minRate } = this.#options;
    const now = performance.now();
    const passed = now - this.#checkedAt;
    this.#checkedAt = now;
    const oursToGrant = this.#wanted > this.#line.granted && this.#received === this.#line.granted;
    if (!oursToGrant) {
      this.#waited += passed;
      this.#idle += passed;
    }
    const due = (minRate * this.#waited) / 1000;
    if (now - this.#heardAt >= stallMs) {
      this.#broken('peer-stalled', `The sender was silent for ${stallMs / 1000} s.`);
    } else if (this.#idle >= idleMs) {
      this.#broken('peer-idle', `The sender sent no bytes for ${idleMs / 1000} s.`);
    } else if (this.#waited >= idleMs && this.#received < due) {
      this.#broken('peer-too-slow', `The sender sent fewer than ${minRate} bytes per second.`);
    }
  }

  #lost(at: number): void {
    const where = `the sender is at ${at}, and ${this.#received} of ${this.#expected} have arrived`;
    this.#broken('bytes-lost', `Bytes of the column were lost in transit: ${where}.`);
  }

  #broken(code: string, message: string): void {
    this.fail(new Retryable({ code, message, advice: 'The primary offers the missing pieces again.' }));
  }

  /** A closed connection ends the stream. */
  #say(word: SessionWord, text: string): void {
    try {
      this.#options.connection.publish(`${this.#options.subject}.${word}`, text);
    } catch (error) {
      this.end(natsError(error, 'receiving a column', 'peer-unreachable'));
    }
  }
}

/** Bytes of a column from a segment on. */
export function bytesFrom(plan: PayloadPlan, segmentIndex: number): number {
  if (segmentIndex >= plan.segmentCount) return 0;
  return plan.columnLength - segmentIndex * plan.pieceLength(0);
}

function aborted(cause: unknown): Cancelled {
  return new Cancelled({ code: 'aborted', message: 'Receiving a column was aborted.', cause });
}
