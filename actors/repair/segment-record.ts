import type { Hex } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Ledger } from '#runtime/journal/journal';

/**
 * What a primary remembers of a sealed payload for as long as it stores it: the journal forgets the job after its
 * retention, and the chain knows only the hash over all checksums. Lies in the ledger.
 */
export interface SegmentRecord {
  readonly job: JobId;
  /** In order. */
  readonly segmentChecksums: readonly Hex[];
}

export const SEGMENT_RECORDS = 'segments/';

function keyOf(job: JobId): string {
  return `${SEGMENT_RECORDS}${formatJobId(job)}`;
}

/** The payloads that this SP stores as their primary. */
export class SegmentRecords {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get(job: JobId): Promise<SegmentRecord | undefined> {
    return this.#ledger.get<SegmentRecord>(keyOf(job));
  }

  /** Durable when it resolves. */
  async put(record: SegmentRecord): Promise<void> {
    await this.#ledger.put(keyOf(record.job), record);
  }

  async forget(job: JobId): Promise<void> {
    await this.#ledger.delete(keyOf(job));
  }
}

/** From the seal on the segments are looked after beyond the life of their job. */
export async function rememberSegments(
  { id, payload }: Pick<JobContext, 'id' | 'payload'>,
  ledger: Ledger,
): Promise<void> {
  if (!payload) return;
  await new SegmentRecords(ledger).put({ job: id, segmentChecksums: payload.segmentChecksums });
}
