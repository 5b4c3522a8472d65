/**
 * Remembers the nonces of messages until these expire, so that none is taken twice. Bounded for each sender: one
 * that says more than its share is not heard until some of its messages have expired, and costs the others nothing.
 */
export class ReplayGuard {
  readonly #perSender: number;
  readonly #seen = new Map<number, Map<string, number>>();

  /** @param perSender nonces kept of one sender */
  constructor(perSender: number) {
    this.#perSender = perSender;
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
