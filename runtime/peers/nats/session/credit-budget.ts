import type { FlowLimits } from '../limits.ts';

/** One stream's share of the budget. Positions count the bytes of the stream from its start. */
export interface CreditLine {
  /** Position up to which the sender may send. */
  readonly granted: number;
  /** Position up to which bytes were consumed. */
  readonly consumed: number;
  /** The sender has bytes to send up to this position. A smaller position than before changes nothing. */
  want(upTo: number): void;
  /** Reports `bytes` more as consumed: their credit is free for the line that has waited longest. */
  consume(bytes: number): void;
  /** Returns all credit of the stream; no grant follows. */
  close(): void;
}

interface Line {
  readonly sender: number;
  readonly onGrant: () => void;
  wanted: number;
  granted: number;
  consumed: number;
  closed: boolean;
}

/**
 * Bounds the bytes that have been sent to a receiver, or may be, and that it has not yet consumed. All positions are
 * bytes from the start of a stream, and `consumed <= granted <= wanted` holds for each line:
 *
 * ```
 * 0 ────── consumed ─────────── granted ─────────── wanted
 *            │ held: may arrive    │ waits for a grant │
 * ```
 *
 * The sum of `granted - consumed` over all lines is `outstanding`, and may not exceed `limits.credit`. There are
 * smaller limits for each sender and each stream. Consuming bytes or closing a line frees credit, which is granted to
 * the line that has waited longest, one piece message at a time: a busy stream cannot starve the others, and an idle
 * one, which wants nothing, holds no credit.
 *
 * One exception: a sender that holds no credit gets its first message even when the whole budget is outstanding, so
 * that several senders together cannot exclude another one. `outstanding` may thus exceed `limits.credit` by one
 * message for each sender.
 */
export class CreditBudget {
  readonly #limits: FlowLimits;
  readonly #perSender = new Map<number, number>();
  #outstanding = 0;
  /** Lines that want more than they were granted, the one that waits longest first. */
  #waiting: Line[] = [];

  constructor(limits: FlowLimits) {
    this.#limits = limits;
  }

  /** Bytes granted and not yet consumed, over all streams. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** @param onGrant called after `granted` has grown; must not throw */
  open(senderSpId: number, onGrant: () => void): CreditLine {
    const line: Line = { sender: senderSpId, onGrant, wanted: 0, granted: 0, consumed: 0, closed: false };
    const budget = this;
    return {
      get granted() {
        return line.granted;
      },
      get consumed() {
        return line.consumed;
      },
      want(upTo) {
        if (line.closed || upTo <= line.wanted) return;
        const waits = line.wanted > line.granted;
        line.wanted = upTo;
        if (!waits && upTo > line.granted) budget.#waiting.push(line);
        budget.#allot();
      },
      consume(bytes) {
        if (line.closed) return;
        line.consumed += bytes;
        budget.#free(line, bytes);
        budget.#allot();
      },
      close() {
        if (line.closed) return;
        line.closed = true;
        budget.#waiting = budget.#waiting.filter((other) => other !== line);
        budget.#free(line, line.granted - line.consumed);
        budget.#allot();
      },
    };
  }

  #free(line: Line, bytes: number): void {
    this.#hold(line, -bytes);
  }

  #hold(line: Line, bytes: number): void {
    this.#outstanding += bytes;
    const held = (this.#perSender.get(line.sender) ?? 0) + bytes;
    if (held === 0) this.#perSender.delete(line.sender);
    else this.#perSender.set(line.sender, held);
  }

  #allot(): void {
    const grown = new Set<Line>();
    for (let line = this.#eligible(); line; line = this.#eligible()) {
      const bytes = this.#nextGrant(line);
      line.granted += bytes;
      this.#hold(line, bytes);
      grown.add(line);
      this.#waiting.splice(this.#waiting.indexOf(line), 1);
      if (line.granted < line.wanted) this.#waiting.push(line);
    }
    for (const line of grown) line.onGrant();
  }

  #eligible(): Line | undefined {
    return this.#waiting.find((line) => {
      const bytes = this.#nextGrant(line);
      const held = this.#perSender.get(line.sender) ?? 0;
      return (
        (this.#outstanding + bytes <= this.#limits.credit || held === 0) &&
        held + bytes <= this.#limits.creditPerSender &&
        line.granted - line.consumed + bytes <= this.#limits.creditPerStream
      );
    });
  }

  /**
   * Size of the next grant: a whole message, or the rest of what is wanted, since small grants would lead to small
   * messages.
   */
  #nextGrant(line: Line): number {
    return Math.min(this.#limits.pieceMessage, line.wanted - line.granted);
  }
}
