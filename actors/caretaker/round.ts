/** A periodic task of the caretaker. */
export interface Round {
  /** For example `looking for open jobs without a queue entry`. */
  readonly doing: string;
  /** Pause between two runs, ms. */
  readonly everyMs: number;
  /** Set for a round that restores queue entries or stored pieces: it runs at once when those were lost. */
  readonly heals?: 'jobs' | 'pieces';
  /** For rounds that span several runs: makes the current or next run start from the beginning. */
  startOver?(): void;
  /** @returns a log message about the work done; undefined if there was none */
  run(signal: AbortSignal): Promise<string | undefined>;
}
