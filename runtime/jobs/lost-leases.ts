/** Leases that a process has lost since its start. */
export interface LeaseLosses {
  /** How often: leases that are lost together count once. */
  readonly times: number;
  readonly jobs: number;
  readonly roles: number;
  /** Unix ms. */
  readonly lastAt: number;
}

/** Leases that are lost within this time of one another have one cause, ms. */
const TOGETHER_MS = 5_000;

/**
 * Counts leases that could not be renewed in time: the process was suspended or cut off from nats-server, and other
 * nodes have its work since then. It continues by itself; only who counts can say later that it was fenced.
 */
export class LostLeases {
  #losses: LeaseLosses | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;

  /** Undefined when none was lost. */
  get losses(): LeaseLosses | undefined {
    return this.#losses;
  }

  count(what: 'jobs' | 'roles'): void {
    const { times, ...before } = this.#losses ?? { times: 0, jobs: 0, roles: 0 };
    const isNew = performance.now() - this.#countedAt > TOGETHER_MS;
    this.#countedAt = performance.now();
    const losses = { ...before, times: isNew ? times + 1 : times, lastAt: Date.now() };
    this.#losses = { ...losses, [what]: losses[what] + 1 };
  }
}
