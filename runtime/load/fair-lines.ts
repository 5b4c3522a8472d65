/** Lines of those who wait: each line gives its first one, then the next line does. A line exists while it is not empty. */
export class FairLines<T> {
  readonly #lines = new Map<string, T[]>();

  add(line: string, one: T): void {
    const waiting = this.#lines.get(line);
    if (waiting) waiting.push(one);
    else this.#lines.set(line, [one]);
  }

  /** Removes the next one; undefined when nobody waits. */
  next(): T | undefined {
    for (const [line, waiting] of this.#lines) {
      const one = waiting.shift();
      this.#lines.delete(line);
      if (waiting.length > 0) this.#lines.set(line, waiting);
      return one;
    }
    return undefined;
  }
}
