import { throwIfAborted } from '#protocols/errors';
import { orAborted } from '../async/or-aborted.ts';
import type { Age, AgeOptions } from './chain.ts';
import type { KnownHeight } from './known-height.ts';

/** What a node says, and of which block: 0 where it does not say. */
export interface Answer<V> {
  readonly value: V;
  readonly height: number;
}

/** How long an answer may be used that may be a block old, when no other answer shows the next block; ms. */
const BLOCK_MS = 1_000;
/** How long one may be used that may be seconds old; ms. */
const SECONDS_MS = 10_000;

export interface AnswersOptions<V> {
  readonly known: KnownHeight;
  readonly maxEntries: number;
  /** False for an answer that is given once and not kept, beside undefined, which never is. All are by default. */
  readonly keeps?: (value: V) => boolean;
}

interface Entry<V> {
  readonly value: Promise<V>;
  /** ms of the monotonic clock. */
  readonly askedAt: number;
  /** What was the newest block then; once answered, the block of the answer. */
  height: number;
}

/**
 * Answers to one kind of question, used again as far as the asker permits. Those who ask at the same time share one
 * request; a failure is not kept. Who asks for `now` shares with nobody, but leaves the answer to the others.
 */
export class Answers<V> {
  readonly #options: AnswersOptions<V>;
  readonly #entries = new Map<string, Entry<V>>();

  constructor(options: AnswersOptions<V>) {
    this.#options = options;
  }

  /**
   * @param ask must be bounded in time by itself, as it may serve several callers; its signal is given only where it
   * serves one
   */
  async get(
    key: string,
    ask: (signal?: AbortSignal) => Promise<Answer<V>>,
    { age = 'now', signal }: AgeOptions = {},
  ): Promise<V> {
    throwIfAborted(signal);
    if (age === 'now') {
      const askedAt = performance.now();
      const answer = await ask(signal);
      this.#put(key, answer, askedAt);
      return answer.value;
    }
    const kept = this.#entries.get(key);
    return orAborted(kept && this.#serves(kept, age) ? kept.value : this.#ask(key, ask), signal);
  }

  /** Keeps what the answer to another question has said beside it. */
  learn(key: string, answer: Answer<V>): void {
    this.#put(key, answer, performance.now());
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
