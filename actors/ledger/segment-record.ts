import type { Hex } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Ledger } from '#runtime/journal/journal';

/**
 * What a primary keeps about a sealed payload as long as it stores it: the journal drops the job after its
 * retention, and the chain has only the hash over all checksums. Stored in the ledger.
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

/** Records of the payloads that this SP stores as primary. */
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

/** Records the checksums of a sealed payload, which must outlive its job. */
export async function rememberSegments(
  { id, payload }: Pick<JobContext, 'id' | 'payload'>,
  ledger: Ledger,
): Promise<void> {
  if (!payload) return;
  await new SegmentRecords(ledger).put({ job: id, segmentChecksums: payload.segmentChecksums });
}
