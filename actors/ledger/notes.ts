import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Ledger } from '#runtime/journal/journal';

/** What the PieceStore has of one job in one role. */
export interface StoredUnit {
  readonly job: JobId;
  /** Of a secondary's column; absent for the primary's segments. */
  readonly redundancyIndex?: number;
  /** Indexes of the segments, or of the segments whose pieces, were seen; ascending. */
  readonly segments: readonly number[];
  readonly bytes: number;
  /** Unix ms at which the newest of them was stored. */
  readonly storedAt: number;
}

/** Something stored that is no longer needed. */
export interface Note extends StoredUnit {
  readonly because: string;
  /** Unix ms since which we know. */
  readonly since: number;
  /** True if downloads may be running that started before. */
  readonly forReaders: boolean;
  /** Unix ms; written before the first piece is deleted. */
  readonly discardingSince?: number;
}

/** Names a unit, for example `4711.0` for segments and `4711.0/3` for a column. */
export function unitName({ job, redundancyIndex }: Pick<StoredUnit, 'job' | 'redundancyIndex'>): string {
  return redundancyIndex === undefined ? formatJobId(job) : `${formatJobId(job)}/${redundancyIndex}`;
}

const PREFIX = 'space/note/';

/** Data found to be no longer needed. Stored in the ledger: notes survive a restart and justify each deletion. */
export class Notes {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get(unit: Pick<StoredUnit, 'job' | 'redundancyIndex'>): Promise<Note | undefined> {
    return this.#ledger.get<Note>(keyOf(unit));
  }

  async *all(signal?: AbortSignal): AsyncGenerator<Note, void, undefined> {
    for await (const [, note] of this.#ledger.entries<Note>(PREFIX, signal && { signal })) yield note;
  }

  /** Notes that a unit is no longer needed. @returns the note, and whether it is the first */
  async see(
    unit: StoredUnit,
    { because, forReaders }: Pick<Note, 'because' | 'forReaders'>,
  ): Promise<{ readonly note: Note; readonly isFirst: boolean }> {
    const earlier = await this.get(unit);
    const { job, redundancyIndex } = unit;
    const note: Note = {
      job,
      ...(redundancyIndex !== undefined && { redundancyIndex }),
      segments: [...new Set([...(earlier?.segments ?? []), ...unit.segments])].sort((a, b) => a - b),
      bytes: Math.max(unit.bytes, earlier?.bytes ?? 0),
      storedAt: Math.max(unit.storedAt, earlier?.storedAt ?? 0),
      because,
      forReaders,
      since: earlier?.since ?? Date.now(),
    };
    await this.#ledger.put(keyOf(unit), note);
    return { note, isFirst: !earlier };
  }

  /** Durable when it resolves: from here on the unit's pieces may be deleted. */
  async beginDiscarding(note: Note): Promise<void> {
    await this.#ledger.put(keyOf(note), { ...note, discardingSince: Date.now() });
  }

  async clear(unit: Pick<StoredUnit, 'job' | 'redundancyIndex'>): Promise<void> {
    if (await this.get(unit)) await this.#ledger.delete(keyOf(unit));
  }
}

/** Earliest time of its deletion, unix ms. @param readersGraceMs how long readers may need that are under way */
export function goesAt({ since, forReaders }: Note, readersGraceMs: number): number {
  return forReaders ? since + readersGraceMs : since;
}

function keyOf(unit: Pick<StoredUnit, 'job' | 'redundancyIndex'>): string {
  return `${PREFIX}${unitName(unit)}`;
}
