/**
 * What is counted and timed while a node works. Adding to one of these costs nanoseconds and allocates nothing: the
 * text for Prometheus is made only when it is asked for (`Registry`).
 */

/** A number that only grows. */
export class Count {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  inc(by = 1): void {
    this.#value += by;
  }
}

/** A number that goes up and down. */
export class Level {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  set(value: number): void {
    this.#value = value;
  }

  add(by: number): void {
    this.#value += by;
  }
}

/** Values sorted into buckets, so that quantiles can be estimated over any time and over all nodes. */
export class Distribution {
  readonly bounds: readonly number[];
  /** How many values each bucket has received, by the index of its upper bound; the last one has none. */
  readonly counts: Float64Array;
  #sum = 0;

  /** @param bounds upper bounds of the buckets, ascending */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.counts.reduce((total, count) => total + count, 0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i += 1;
    counts[i] = (counts[i] as number) + 1;
    this.#sum += value;
  }

  /** Adds the seconds since `begin`, a value of `performance.now()`. */
  since(begin: number): void {
    this.observe((performance.now() - begin) / 1_000);
  }
}

/** What stands for every further combination of labels once a family is full. */
const OTHER = 'other';

/**
 * Instruments of one name that differ in their labels. At most `limit` combinations of labels are kept apart, whatever
 * others make us count; those beyond share one, whose labels are all `other`.
 */
export class Family<I> {
  readonly labels: readonly string[];
  readonly #create: () => I;
  readonly #limit: number;
  readonly #known = new Map<string, { readonly values: readonly string[]; readonly instrument: I }>();

  constructor(create: () => I, labels: readonly string[], limit: number) {
    this.labels = labels;
    this.#create = create;
    this.#limit = limit;
  }

  /** The instrument of these values of the labels, in their order. */
  of(first: string | number, second?: string | number, third?: string | number): I {
    const key = second === undefined ? String(first) : `${first}\n${second}\n${third ?? ''}`;
    const known = this.#known.get(key);
    if (known) return known.instrument;
    if (this.#known.size >= this.#limit && first !== OTHER) return this.of(...this.#others());
    const values = [first, second, third].slice(0, this.labels.length).map((value) => String(value ?? ''));
    const instrument = this.#create();
    this.#known.set(key, { values, instrument });
    return instrument;
  }

  /** All of them, with the values of their labels. */
  *[Symbol.iterator](): Iterator<readonly [readonly string[], I]> {
    for (const { values, instrument } of this.#known.values()) yield [values, instrument];
  }

  #others(): [string, string?, string?] {
    return this.labels.map(() => OTHER) as [string, string?, string?];
  }
}
