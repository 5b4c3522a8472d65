import { toSealionError } from '#protocols/errors';
import type { Logger } from './logger.ts';

/** Lines a minute of one kind that one stranger can cause. */
const LINES = 5;
const MINUTE_MS = 60_000;
/** Kinds of all strangers that are counted at one time. */
const KINDS = 1_000;
const OTHERS = 'others';
/** Characters of a reason, which may quote what a stranger sent. */
const REASON = 300;

interface Count {
  readonly who: string;
  readonly message: string;
  readonly code: string;
  seen: number;
}

/**
 * Warnings that strangers can cause, as many as they like: a few lines a minute of each kind and stranger, without a
 * stack, and then how many more there were. What it takes of memory and of the log is bounded, whatever comes.
 */
export class Repeats {
  readonly #log: Logger;
  readonly #periodMs: number;
  readonly #counts = new Map<string, Count>();
  #end: NodeJS.Timeout | undefined;

  constructor(log: Logger, periodMs = MINUTE_MS) {
    this.#log = log;
    this.#periodMs = periodMs;
  }

  /** @param who for example `SP 5`; only what is authenticated, or a stranger would have many names */
  warn(who: string, thrown: unknown, message: string): void {
    const { code, message: reason } = toSealionError(thrown);
    const count = this.#count(who, code, message);
    count.seen += 1;
    if (count.seen > LINES) return;
    this.#log.warn({ from: count.who, code, reason: reason.slice(0, REASON) }, message);
  }

  #count(who: string, code: string, message: string): Count {
    const key = JSON.stringify([who, code, message]);
    const known = this.#counts.get(key);
    if (known) return known;
    if (this.#counts.size >= KINDS && who !== OTHERS)
      return this.#count(OTHERS, 'various', 'refused invalid input of others');
    const count = { who, code, message, seen: 0 };
    this.#counts.set(key, count);
    this.#end ??= setTimeout(() => this.#summarize(), this.#periodMs).unref();
    return count;
  }

  #summarize(): void {
    this.#end = undefined;
    for (const { who, code, message, seen } of this.#counts.values()) {
      const more = seen - LINES;
      if (more > 0) {
        const since = this.#periodMs / 1000;
        this.#log.warn(
          { from: who, code, more },
          `${message}: ${more} more like this in the last ${since} s`,
        );
      }
    }
    this.#counts.clear();
  }
}
