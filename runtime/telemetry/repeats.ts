import { toSealionError } from '#protocols/errors';
import type { Logger } from './logger.ts';

/** Lines per minute for each sender and kind. */
const LINES = 5;
const MINUTE_MS = 60_000;
/** Maximum number of pairs of sender and kind that are counted at a time. */
const KINDS = 1_000;
const OTHERS = 'others';
/** Maximum length of a reason, which may quote the sender; characters. */
const REASON = 300;

interface Count {
  readonly who: string;
  readonly message: string;
  readonly code: string;
  seen: number;
}

/**
 * Warnings that others can cause in any number: a few lines per minute for each sender and kind, without a stack trace,
 * followed by the number of suppressed lines. Memory and log output are bounded for any input.
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

  /** @param who for example `SP 5`; must be authenticated, since a sender could otherwise use many names */
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
