/** Something that the caretaker looks after again and again. */
export interface Round {
  /** For example `looking for open jobs without a queue entry`. */
  readonly doing: string;
  /** From the end of one to the start of the next, ms. */
  readonly everyMs: number;
  /** What it looks for when that was lost at once: entries of the work queue, or stored pieces. */
  readonly heals?: 'jobs' | 'pieces';
  /** Where a round goes on over several runs: the next one, or the one under way, begins with everything again. */
  startOver?(): void;
  /** @returns what was done, for the log; undefined when there was nothing to do */
  run(signal: AbortSignal): Promise<string | undefined>;
}
