import type { JobId } from '#protocols/job/identity';
import type { Ledger } from '#runtime/journal/journal';
import { goesAt, Notes, unitName } from '../../ledger/notes.ts';
import { NOT_WHOLE } from '../scrub/object-check.ts';
import { type Survey, Surveys } from './survey.ts';

/** Differences between the PieceStore and the chain, as far as a node has checked. */
export interface SpaceReport {
  /** The last complete comparison; absent before the first. */
  readonly survey?: Survey;
  /** Data that waits to be deleted, at most `UNITS_SHOWN` units. */
  readonly unneeded: readonly UnneededUnit[];
  /** Needed objects that are incomplete here, by the last verification of the stored pieces. */
  readonly incomplete: readonly JobId[];
}

export interface UnneededUnit {
  /** `4711.0` for the segments of a payload, `4711.0/3` for a column of it. */
  readonly unit: string;
  readonly because: string;
  /** Unix ms since which it is known. */
  readonly since: number;
  /** Earliest time of its deletion, unix ms, if another check confirms it. */
  readonly goesAt: number;
}

const UNITS_SHOWN = 1_000;

/** @param readersGraceMs how long replaced versions are kept, ms */
export async function spaceReport(ledger: Ledger, readersGraceMs: number): Promise<SpaceReport> {
  const survey = await new Surveys(ledger).last();
  const unneeded: UnneededUnit[] = [];
  for await (const note of new Notes(ledger).all()) {
    const { because, since } = note;
    unneeded.push({ unit: unitName(note), because, since, goesAt: goesAt(note, readersGraceMs) });
    if (unneeded.length === UNITS_SHOWN) break;
  }
  const incomplete: JobId[] = [];
  for await (const [, job] of ledger.entries<JobId>(NOT_WHOLE)) {
    incomplete.push(job);
    if (incomplete.length === UNITS_SHOWN) break;
  }
  return { ...(survey && { survey }), unneeded, incomplete };
}
