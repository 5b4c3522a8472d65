/** Something that the caretaker looks after again and again. */
export interface Round {
  /** For example `looking for jobs that nobody works on`. */
  readonly doing: string;
  /** From the end of one to the start of the next, ms. */
  readonly everyMs: number;
  /** @returns what was done, for the log; undefined when there was nothing to do */
  run(signal: AbortSignal): Promise<string | undefined>;
}
