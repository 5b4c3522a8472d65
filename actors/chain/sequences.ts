import type { SignedTransaction } from '#protocols/greenfield/transaction';

/** A signed transaction that the chain has not accepted yet. */
interface Outstanding {
  readonly hash: string;
  /** When the transaction is no longer expected to be broadcast; ms of the caller's clock. */
  readonly expiresAt: number;
}

/**
 * The sequences of one account. The chain accepts transactions in the order of their sequences, without gaps. Sequences
 * are assigned ahead of the broadcasts, so that several seals can be in progress at once. A sequence that was assigned
 * and never broadcast leaves a gap before all later ones: after `holdMs` it is assigned again, and transactions above
 * it must be signed again when the chain refuses them.
 */
export class Sequences {
  readonly #holdMs: number;
  readonly #outstanding = new Map<number, Outstanding>();
  #next: number | undefined;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** The sequence for the next signature; undefined while it must be asked of the chain first. */
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

  /** The sequence that the chain expects is no longer known. */
  forget(): void {
    this.#outstanding.clear();
    this.#next = undefined;
  }

  signed({ sequence, hash }: SignedTransaction, now: number): void {
    this.#outstanding.set(sequence, { hash, expiresAt: now + this.#holdMs });
    this.#next = sequence + 1;
  }

  /**
   * Until when this transaction must wait for the first one with a lower sequence; undefined when it may be broadcast
   * now, as may a transaction that is unknown here.
   */
  heldUntil({ sequence, hash }: SignedTransaction, now: number): number | undefined {
    this.#dropExpired(now);
    if (this.#outstanding.get(sequence)?.hash !== hash) return undefined;
    for (const [lowest, { expiresAt }] of this.#outstanding) {
      return lowest < sequence ? expiresAt : undefined;
    }
    return undefined;
  }

  /** The chain accepted the transaction: its sequence is used. */
  accepted({ sequence }: SignedTransaction): void {
    this.#outstanding.delete(sequence);
    if (this.#next !== undefined && this.#next <= sequence) this.#next = sequence + 1;
  }

  /** The chain refused the transaction, but not for its sequence, which is therefore free again. */
  refused({ sequence, hash }: SignedTransaction): void {
    if (this.#outstanding.get(sequence)?.hash === hash) this.#restartAt(sequence);
  }

  /** Sequences are assigned in ascending order, so the first entry is the lowest and the oldest. */
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
