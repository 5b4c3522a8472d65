/** Intervals of the caretaker's rounds, and times for which data is kept; all in ms. */
export interface CaretakerTiming {
  readonly jobsEveryMs: number;
  readonly uploadsEveryMs: number;
  readonly columnsEveryMs: number;
  readonly spaceEveryMs: number;
  /** From the start of one pass through everything stored to the next. */
  readonly surveyEveryMs: number;
  /** Pause between two chain queries in such a pass. */
  readonly spacePaceMs: number;
  /** How long a replaced version is kept for downloads in progress. */
  readonly readersGraceMs: number;
  readonly sweepEveryMs: number;
  readonly retentionEveryMs: number;
  /** From the start of one pass over all that is stored to the start of the next. */
  readonly scrubPassMs: number;
  /** How long the journal keeps a job that has ended. */
  readonly retentionMs: number;
  /** A column whose last offer is younger is left alone: its receiver may be at work. */
  readonly columnGraceMs: number;
  /** From this age an incomplete column is given up: reject deadline + 24 h. */
  readonly columnAbandonedAfterMs: number;
  /** Answers of a chain node further behind are not used. */
  readonly chainLagMs: number;
}

export const CARETAKER_TIMING: CaretakerTiming = {
  jobsEveryMs: 60_000,
  uploadsEveryMs: 3_600_000,
  columnsEveryMs: 600_000,
  spaceEveryMs: 600_000,
  surveyEveryMs: 21_600_000,
  spacePaceMs: 40,
  readersGraceMs: 3_600_000,
  sweepEveryMs: 86_400_000,
  retentionEveryMs: 3_600_000,
  scrubPassMs: 2_592_000_000,
  retentionMs: 604_800_000,
  columnGraceMs: 600_000,
  columnAbandonedAfterMs: 172_800_000,
  chainLagMs: 30_000,
};
