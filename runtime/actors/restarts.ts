import { Retryable, type SealionError } from '#protocols/errors';
import type { Supervision } from './types.ts';

/** Supervision's decision about one failure. `delayMs` is the pause before a restart. */
export type Verdict =
  | { readonly directive: 'restart'; readonly delayMs: number }
  | { readonly directive: 'stop' | 'escalate' }
  | { readonly directive: 'resume' };

/** Applies an actor's row of the supervision table to its failures, and keeps count of its restarts. */
export class Restarts {
  readonly #row: Supervision;
  #recent: number[] = [];
  #total = 0;

  constructor(row: Supervision) {
    this.#row = row;
  }

  /** Restarts since the spawn. */
  get total(): number {
    return this.#total;
  }

  /**
   * Decides about a failure, and counts the restart where it is one.
   * @param resumable false when there is no state to resume with: then `resume` means `restart`.
   * @param now ms of a monotonic clock.
   * @param random in [0, 1).
   */
  judge(error: SealionError, resumable: boolean, now: number, random: number): Verdict {
    const said = this.#row[error.kind];
    if (said === 'stop' || said === 'escalate') return { directive: said };
    if (said === 'resume' && resumable) return { directive: said };
    const { limit, withinMs, beyond } = this.#row.restarts;
    this.#recent = this.#recent.filter((at) => now - at < withinMs);
    const n = this.#recent.length;
    if (n >= limit) return { directive: beyond };
    this.#recent.push(now);
    this.#total += 1;
    const known = error instanceof Retryable ? error.retryAfterMs : undefined;
    return { directive: 'restart', delayMs: known ?? restartDelayMs(n, this.#row.backoff, random) };
  }
}

/** Pause before restart n (from 0), ms: exponential up to `maxMs`, with full jitter. */
export function restartDelayMs(n: number, { minMs, maxMs }: Supervision['backoff'], random: number): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(n, 52)) * random;
}
