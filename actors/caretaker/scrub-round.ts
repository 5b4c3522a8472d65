import type { JobId } from '#protocols/job/identity';
import type { Ledger } from '#runtime/journal/journal';
import type { Logger } from '#runtime/telemetry/logger';
import { COLUMN_RECORDS, type ColumnRecord } from '../ledger/column-record.ts';
import { SEGMENT_RECORDS, type SegmentRecord } from '../ledger/segment-record.ts';
import type { Round } from './round.ts';
import {
  type Counts,
  NOT_WHOLE,
  NOTHING,
  ObjectCheck,
  type ObjectCheckOptions,
} from './scrub/object-check.ts';

export interface ScrubRoundOptions extends ObjectCheckOptions {
  readonly timing: ObjectCheckOptions['timing'] & {
    /** From the start of one pass over everything to the start of the next, ms. */
    readonly scrubPassMs: number;
  };
}

/** Position of the pass. Stored in the ledger, so that it continues after a restart. */
interface Pass {
  /** Unix ms. */
  readonly startedAt: number;
  /** Key of the last record checked. */
  readonly after?: string;
  readonly counts: Counts;
  /** Unix ms; present when everything has been checked. */
  readonly doneAt?: number;
}

const PASS = 'scrub/pass';
/** Records read at a time: no iterator stays open while pieces are read. */
const BATCH = 256;
const HOUR_MS = 3_600_000;

type Holding = ColumnRecord | SegmentRecord;

/**
 * Verifies each stored piece once per pass, at a bounded rate, and has damaged or missing ones repaired: every
 * column that we have signed for, and every segment of sealed objects whose primary we are. This also refills a
 * PieceStore that has lost its data.
 */
export function scrubRound(options: ScrubRoundOptions, log: Logger): Round {
  const { ledger, timing } = options;
  const object = new ObjectCheck(options, log);
  let over = false;
  return {
    heals: 'pieces',
    doing: 'verifying the stored pieces',
    everyMs: Math.min(HOUR_MS, timing.scrubPassMs / 4),
    startOver() {
      over = true;
    },
    async run(signal) {
      await again(signal);
      let pass = over ? undefined : await ledger.get<Pass>(PASS);
      over = false;
      if (!pass || pass.doneAt !== undefined) {
        if (pass && Date.now() < pass.startedAt + timing.scrubPassMs) return undefined;
        pass = { startedAt: Date.now(), counts: NOTHING };
      }
      for await (const [key, record] of holdings(ledger, pass.after, signal)) {
        if (over) return undefined;
        const counts: Counts = isHeld(record)
          ? await object.run(record.job, pass.counts, signal)
          : pass.counts;
        pass = { ...pass, after: key, counts };
        await ledger.put(PASS, pass);
      }
      await ledger.put(PASS, { ...pass, doneAt: Date.now() });
      const { objects, bytes, repaired, lost, failed } = pass.counts;
      return `verified ${objects} objects (${bytes} bytes): ${repaired} pieces repaired, ${lost} not repairable now, ${failed} objects not verified`;
    },
  };

  /** Checks the objects again that could not be repaired before. */
  async function again(signal: AbortSignal): Promise<void> {
    const waiting: JobId[] = [];
    for await (const [, job] of ledger.entries<JobId>(NOT_WHOLE, { signal })) {
      if (waiting.push(job) === BATCH) break;
    }
    for (const job of waiting) await object.run(job, NOTHING, signal);
  }
}

/** True for segments, and for a column that has been signed for and is not being deleted. */
function isHeld(record: Holding): boolean {
  return !('redundancyIndex' in record) || (record.held !== undefined && !record.discarding);
}

/** The records of columns, then those of segments. @param after key of the last one checked */
async function* holdings(
  ledger: Ledger,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly [string, Holding], void, undefined> {
  let last = after;
  for (const prefix of [COLUMN_RECORDS, SEGMENT_RECORDS]) {
    for (let batch: (readonly [string, Holding])[] | undefined; batch?.length !== 0; ) {
      batch = [];
      const from = last !== undefined && last >= prefix ? { after: last } : {};
      for await (const entry of ledger.entries<Holding>(prefix, { ...from, signal })) {
        if (batch.push(entry) === BATCH) break;
      }
      last = batch.at(-1)?.[0] ?? last;
      yield* batch;
    }
  }
}
