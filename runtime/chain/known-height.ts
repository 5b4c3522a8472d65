/** The height of the newest block that any answer of the chain has shown. Answers from before it may be outdated. */
export class KnownHeight {
  #latest = 0;

  get latest(): number {
    return this.#latest;
  }

  /** @param height of an answer; 0 when unknown */
  note(height: number): void {
    this.#latest = Math.max(this.#latest, height);
  }
}
