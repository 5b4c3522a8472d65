/** A periodic task of the caretaker. */
export interface Round {
  /** For example `looking for open jobs without a queue entry`. */
  readonly doing: string;
  /** From the end of one to the start of the next, ms. */
  readonly everyMs: number;
  /** What it restores after a loss, without waiting for its period: queue entries or stored pieces. */
  readonly heals?: 'jobs' | 'pieces';
  /** For rounds that span several runs: makes the current or next run start from the beginning. */
  startOver?(): void;
  /** @returns what was done, for the log; undefined when there was nothing to do */
  run(signal: AbortSignal): Promise<string | undefined>;
}
