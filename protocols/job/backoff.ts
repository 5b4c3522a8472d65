/** Delays between tries of one job's phases, in ms. */
export interface BackoffLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/** First a second, then doubled up to the longest delay that the work queue keeps a job for (ARCHITECTURE.md#the-two-nats-planes). */
export const JOB_BACKOFF: BackoffLimits = { minMs: 1_000, maxMs: 600_000 };

/**
 * Delay before the next try after `failedTries` failures in a row (from 1), with half of it jittered so that
 * jobs that failed together do not come back together.
 * @param random in [0, 1)
 */
export function backoffMs(failedTries: number, random: number, limits: BackoffLimits = JOB_BACKOFF): number {
  const ceiling = Math.min(limits.maxMs, limits.minMs * 2 ** Math.min(failedTries - 1, 30));
  return Math.round(ceiling * (0.5 + random / 2));
}
