import type { SignedTransaction } from '#protocols/job/context';

/** A signed transaction that the chain has not taken yet. */
interface Outstanding {
  readonly hash: string;
  /** ms of the caller's clock, after which nobody waits for its broadcast any more. */
  readonly expiresAt: number;
}

/**
 * The sequences of one account. The chain takes transactions in the order of their sequences, without gaps;
 * this book hands the sequences out ahead of the broadcasts, so that several seals may be on their way at once.
 * A sequence that was handed out and never broadcast is a gap in front of all later ones: after `holdMs` it is
 * handed out again, and what was signed above it has to be signed again, as the chain will say.
 */
export class Sequences {
  readonly #holdMs: number;
  readonly #outstanding = new Map<number, Outstanding>();
  #next: number | undefined;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** The sequence for the next signature; undefined while the chain has to be asked first. */
  next(now: number): number | undefined {
    this.#dropExpired(now);
    return this.#next;
  }

  /** The chain expects this sequence next. */
  learn(expected: number): void {
    for (const sequence of this.#outstanding.keys()) {
      if (sequence < expected) this.#outstanding.delete(sequence);
    }
    if (this.#next === undefined || this.#next < expected) this.#next = expected;
    else if (!this.#outstanding.has(expected)) this.#restartAt(expected);
  }

  /** What the chain expects is no longer known. */
  forget(): void {
    this.#outstanding.clear();
    this.#next = undefined;
  }

  signed({ sequence, hash }: SignedTransaction, now: number): void {
    this.#outstanding.set(sequence, { hash, expiresAt: now + this.#holdMs });
    this.#next = sequence + 1;
  }

  /**
   * Until when this transaction waits for the first that must go before it; undefined when it may go now, as one
   * may that was not signed by this book.
   */
  heldUntil({ sequence, hash }: SignedTransaction, now: number): number | undefined {
    this.#dropExpired(now);
    if (this.#outstanding.get(sequence)?.hash !== hash) return undefined;
    for (const [lowest, { expiresAt }] of this.#outstanding) {
      return lowest < sequence ? expiresAt : undefined;
    }
    return undefined;
  }

  /** The chain took it: its sequence is used. */
  accepted({ sequence }: SignedTransaction): void {
    this.#outstanding.delete(sequence);
    if (this.#next !== undefined && this.#next <= sequence) this.#next = sequence + 1;
  }

  /** The chain refused it for another reason than its sequence, which is therefore free again. */
  refused({ sequence, hash }: SignedTransaction): void {
    if (this.#outstanding.get(sequence)?.hash === hash) this.#restartAt(sequence);
  }

  /** Sequences rise as they are handed out, so the first entry is the lowest and the oldest. */
  #dropExpired(now: number): void {
    for (const [lowest, { expiresAt }] of this.#outstanding) {
      if (expiresAt <= now) this.#restartAt(lowest);
      return;
    }
  }

  #restartAt(sequence: number): void {
    for (const other of this.#outstanding.keys()) {
      if (other >= sequence) this.#outstanding.delete(other);
    }
    this.#next = sequence;
  }
}
