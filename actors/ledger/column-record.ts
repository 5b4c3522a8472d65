import type { Announcement } from '#protocols/greenfield/content';
import type { Hex } from '#protocols/greenfield/types';
import type { Receipt } from '#protocols/job/context';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { pieceKey } from '#protocols/payload/keys';
import type { Ledger } from '#runtime/journal/journal';
import type { PieceStore } from '#runtime/pieces/piece-store';

/** Which column of which upload: what one receiver owns. */
export interface ColumnId {
  readonly job: JobId;
  readonly redundancyIndex: number;
}

/** What this SP, as a secondary, knows about a column that it stores or is about to store. Stored in the ledger. */
export interface ColumnRecord extends ColumnId {
  /** Sp id of the primary that offered it. */
  readonly from: number;
  /**
   * The content that the column belongs to, which a version number alone does not identify. Has the primary's
   * checksums if the chain has none. Absent in records of Sealion 0.1.
   */
  readonly announcement?: Announcement;
  /** Pieces that the column has. */
  readonly segmentCount: number;
  /** Unix ms of the last offer that was accepted. */
  readonly touchedAt: number;
  /**
   * Written when every piece is stored and checked, before a signature for it leaves: from then on we must keep the
   * pieces.
   */
  readonly held?: HeldColumn;
  /** The last receipt that was signed. */
  readonly receipt?: Receipt;
  /** Written before the first piece is deleted: why the column is deleted. */
  readonly discarding?: { readonly because: string; readonly at: number };
}

export interface HeldColumn {
  /** In segment order. */
  readonly pieceChecksums: readonly Hex[];
  readonly integrityHash: Hex;
  /** The seven integrity hashes, primary first, that our signatures stand for. */
  readonly checksums: readonly Hex[];
  /** Unix ms. */
  readonly at: number;
}

/** Prefix of the ledger keys of all columns. */
export const COLUMN_RECORDS = 'column/';

function keyOf({ job, redundancyIndex }: ColumnId): string {
  return `${COLUMN_RECORDS}${formatJobId(job)}/${redundancyIndex}`;
}

/** The last operation in the queue of each column, per ledger. */
const TURNS = new WeakMap<Ledger, Map<string, Promise<unknown>>>();

/** The columns of this SP: records and pieces, always written and deleted in the order that keeps a reason on disk. */
export class Columns {
  readonly #ledger: Ledger;
  readonly #pieces: PieceStore;

  constructor(ports: { readonly ledger: Ledger; readonly pieces: PieceStore }) {
    this.#ledger = ports.ledger;
    this.#pieces = ports.pieces;
  }

  get(id: ColumnId): Promise<ColumnRecord | undefined> {
    return this.#ledger.get<ColumnRecord>(keyOf(id));
  }

  /** Durable when it resolves. */
  async put(record: ColumnRecord): Promise<void> {
    await this.#ledger.put(keyOf(record), record);
  }

  async *all(signal: AbortSignal): AsyncGenerator<ColumnRecord, void, undefined> {
    for await (const [, record] of this.#ledger.entries<ColumnRecord>(COLUMN_RECORDS, { signal }))
      yield record;
  }

  /** Runs work on a column when no other work submitted here for it is running. */
  async inTurn<T>(id: ColumnId, work: () => Promise<T>): Promise<T> {
    const turns = TURNS.get(this.#ledger) ?? new Map<string, Promise<unknown>>();
    TURNS.set(this.#ledger, turns);
    const key = keyOf(id);
    const mine = (turns.get(key) ?? Promise.resolve()).then(work, work);
    turns.set(key, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(key) === mine) turns.delete(key);
    }
  }

  /**
   * Deletes the column: first records the reason, then deletes the pieces, then the record. An interrupted deletion
   * is finished by the next call.
   */
  async discard(record: ColumnRecord, because: string, signal: AbortSignal): Promise<void> {
    const { job, redundancyIndex, segmentCount } = record;
    if (!record.discarding) await this.put({ ...record, discarding: { because, at: Date.now() } });
    for (let segment = 0; segment < segmentCount; segment += 1) {
      await this.#pieces.delete(pieceKey(job, segment, redundancyIndex), { signal });
    }
    await this.#ledger.delete(keyOf(record));
  }
}
