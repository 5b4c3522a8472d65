/** A reproducible sequence of random numbers for each seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** `count` different numbers below `limit`, without `except`. */
  others(count: number, except: number, limit: number): ReadonlySet<number> {
    const chosen = new Set<number>();
    while (chosen.size < Math.min(count, limit - 1)) {
      const one = this.below(limit);
      if (one !== except) chosen.add(one);
    }
    return chosen;
  }
}
