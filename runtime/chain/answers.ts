import { throwIfAborted } from '#protocols/errors';
import { Gathered } from '../async/gathered.ts';
import { orAborted } from '../async/or-aborted.ts';
import type { Age, AgeOptions } from './chain.ts';
import type { KnownHeight } from './known-height.ts';

/** An answer of a node, and the height of its block: 0 when the node does not say. */
export interface Answer<V> {
  readonly value: V;
  readonly height: number;
}

/** How long an answer of age `block` is used when no other answer shows the next block; ms. */
const BLOCK_MS = 1_000;
/** How long an answer of age `seconds` is used; ms. */
const SECONDS_MS = 10_000;

export interface AnswersOptions<V> {
  readonly known: KnownHeight;
  readonly maxEntries: number;
  /** False for an answer that is not cached; by default all are. Undefined is never cached. */
  readonly keeps?: (value: V) => boolean;
}

interface Entry<V> {
  readonly value: Promise<V>;
  /** Monotonic, ms. */
  readonly askedAt: number;
  /** The newest known block at that time; after the answer, the block of the answer. */
  height: number;
}

/**
 * A cache of answers to one kind of query, used again as far as the caller permits. Simultaneous callers share one
 * request; a failure is not cached. A query for `now` shares a request that is sent after it (`Gathered`), and its answer
 * is cached for others.
 */
export class Answers<V> {
  readonly #options: AnswersOptions<V>;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #now = new Gathered<V>();

  constructor(options: AnswersOptions<V>) {
    this.#options = options;
  }

  /** Answers that are kept, and how many may be. */
  get size(): number {
    return this.#entries.size;
  }

  get max(): number {
    return this.#options.maxEntries;
  }

  /** @param ask must have a time limit of its own, as it may serve several callers */
  async get(
    key: string,
    ask: () => Promise<Answer<V>>,
    { age = 'now', signal }: AgeOptions = {},
  ): Promise<V> {
    throwIfAborted(signal);
    if (age === 'now') return this.#now.get(key, () => this.#askNow(key, ask), signal);
    const kept = this.#entries.get(key);
    return orAborted(kept && this.#serves(kept, age) ? kept.value : this.#ask(key, ask), signal);
  }

  /** Caches an answer that was contained in the answer to another query. */
  learn(key: string, answer: Answer<V>): void {
    this.#put(key, answer, performance.now());
  }

  async #askNow(key: string, ask: () => Promise<Answer<V>>): Promise<V> {
    const askedAt = performance.now();
    const answer = await ask();
    this.#put(key, answer, askedAt);
    return answer.value;
  }

  #ask(key: string, ask: () => Promise<Answer<V>>): Promise<V> {
    const { latest: height } = this.#options.known;
    const askedAt = performance.now();
    const answering = ask();
    const entry: Entry<V> = { value: answering.then(({ value }) => value), askedAt, height };
    this.#set(key, entry);
    answering.then(
      ({ value, height }) => {
        entry.height = height;
        if (!this.#isKept(value)) this.#drop(key, entry);
      },
      () => this.#drop(key, entry),
    );
    return entry.value;
  }

  #serves({ askedAt, height }: Entry<V>, age: Exclude<Age, 'now'>): boolean {
    const ms = performance.now() - askedAt;
    if (age === 'seconds') return ms < SECONDS_MS;
    return ms < BLOCK_MS && height >= this.#options.known.latest;
  }

  #put(key: string, { value, height }: Answer<V>, askedAt: number): void {
    if (this.#isKept(value)) this.#set(key, { value: Promise.resolve(value), askedAt, height });
    else this.#entries.delete(key);
  }

  #isKept(value: V): boolean {
    const { keeps } = this.#options;
    return value !== undefined && (keeps?.(value) ?? true);
  }

  #set(key: string, entry: Entry<V>): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#options.maxEntries && oldest !== undefined) this.#entries.delete(oldest);
  }

  #drop(key: string, entry: Entry<V>): void {
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }
}
