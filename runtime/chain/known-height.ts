/** The newest block that any answer of the chain has shown: what was asked before it may not hold any more. */
export class KnownHeight {
  #latest = 0;

  get latest(): number {
    return this.#latest;
  }

  /** @param height of an answer; 0 where it does not say */
  note(height: number): void {
    this.#latest = Math.max(this.#latest, height);
  }
}
