import { z } from 'zod';
import type { JobId } from '#protocols/job/identity';

/** The result for one stored segment or piece. `lost`: it is missing or damaged and could not be repaired now. */
export type PieceState = 'good' | 'missing' | 'corrupt' | 'repaired' | 'lost';

export interface Finding {
  readonly segmentIndex: number;
  readonly state: PieceState;
  /** Absent for `good`. */
  readonly why?: string;
}

/** What one SP found in one part of its segments or column of an object. */
export interface Verification {
  readonly job: JobId;
  readonly spId: number;
  /** −1 for the primary's segments, or the index of the column. */
  readonly redundancyIndex: number;
  readonly segmentCount: number;
  readonly findings: readonly Finding[];
  /** Number of bytes checked. */
  readonly bytes: number;
  /** First segment of the next part; absent after the last. */
  readonly next?: number;
}

/** Subject of the home plane for a `VerifyQuestion`, which a node answers with a `Verification`. */
export const VERIFY = 'verify';

export const verifyQuestion = z.object({
  objectId: z.string().regex(/^[1-9][0-9]{0,77}$/),
  version: z.int().min(0).max(999_999_999),
  /** The first segment of the part. */
  from: z.int().nonnegative(),
  repair: z.boolean(),
});

export type VerifyQuestion = z.infer<typeof verifyQuestion>;
