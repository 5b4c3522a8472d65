/**
 * Remembers the nonces of messages until they expire, so that none is accepted twice. Bounded per sender: one that
 * exceeds its share is ignored until some of its messages have expired; others are not affected.
 */
export class ReplayGuard {
  readonly #perSender: number;
  readonly #seen = new Map<number, Map<string, number>>();

  /** @param perSender nonces kept per sender */
  constructor(perSender: number) {
    this.#perSender = perSender;
  }

  /** True for one that was admitted and is not forgotten. */
  has(sender: number, nonce: string): boolean {
    return this.#seen.get(sender)?.has(nonce) ?? false;
  }

  /**
   * True the first time.
   * @param expiresAt Unix ms at which the message itself is no longer valid
   */
  admit(sender: number, nonce: string, expiresAt: number, now: number): boolean {
    const seen = this.#seen.get(sender) ?? new Map<string, number>();
    if (seen.has(nonce)) return false;
    if (seen.size >= this.#perSender) {
      for (const [old, until] of seen) if (until < now) seen.delete(old);
      if (seen.size >= this.#perSender) return false;
    }
    seen.set(nonce, expiresAt);
    this.#seen.set(sender, seen);
    return true;
  }
}
