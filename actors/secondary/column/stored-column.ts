import { Retryable, Terminal } from '#protocols/errors';
import { isSameAnnouncement, sameChecksums } from '#protocols/greenfield/content';
import type { Hex } from '#protocols/greenfield/types';
import { checkIntegrity } from '#protocols/integrity/checksums';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import { signReceipt } from '#protocols/replication/receipts';
import { type ColumnId, type ColumnRecord, Columns, type HeldColumn } from '../../ledger/column-record.ts';
import type { SecondaryPorts } from '../ports.ts';
import type { Place } from './check-offer.ts';
import { announcementOf, isColumnOf, OTHER_CONTENT } from './same-content.ts';

type Ports = Pick<SecondaryPorts, 'chain' | 'ledger' | 'pieces' | 'keys'>;

/**
 * A column while it is being stored, over either wire: record, pieces, integrity hash, signatures. The record that
 * justifies the signatures is durable before they leave.
 */
export class StoredColumn {
  readonly #id: ColumnId;
  readonly #ports: Ports;
  readonly #signal: AbortSignal;
  readonly #columns: Columns;

  constructor(id: ColumnId, ports: Ports, signal: AbortSignal) {
    this.#id = id;
    this.#ports = ports;
    this.#signal = signal;
    this.#columns = new Columns(ports);
  }

  /** The record of the column, if it is of the content that the object waits for. */
  async known(place: Place, offered: readonly Hex[]): Promise<ColumnRecord | undefined> {
    const record = await this.#columns.get(this.#id);
    return record && isWanted(record, place, offered) ? record : undefined;
  }

  /**
   * Writes the record, so that the caretaker knows that pieces may be stored. Pieces of other content are deleted
   * first, and a completed column counts as incomplete again.
   * @param from sp id of the primary
   * @param offered its checksums, as in `known`
   * @param isWhole true when all pieces are here: if there is no record, `sign` writes the first. Should the node end
   * before, the caretaker finds pieces without a record and deletes them
   */
  open(from: number, place: Place, offered: readonly Hex[], isWhole = false): Promise<ColumnRecord> {
    return this.#columns.inTurn(this.#id, async () => {
      const { job, redundancyIndex } = this.#id;
      const earlier = await this.#columns.get(this.#id);
      if (earlier && !isWanted(earlier, place, offered)) {
        await this.#columns.discard(earlier, earlier.discarding?.because ?? OTHER_CONTENT, this.#signal);
      }
      const { segmentCount } = place.plan;
      const announcement = announcementOf(place.content, offered);
      const record = { job, redundancyIndex, from, announcement, segmentCount, touchedAt: Date.now() };
      if (earlier || !isWhole) await this.#columns.put(record);
      return record;
    });
  }

  /**
   * The completed column in a record, if every piece of it is really stored: nothing is signed for by the record
   * alone.
   */
  async held(record: ColumnRecord, place: Place): Promise<HeldColumn | undefined> {
    const { held } = record;
    if (!held) return undefined;
    return sameChecksums(await this.pieces(place), held.pieceChecksums) ? held : undefined;
  }

  /** Checksums of the stored pieces, up to the first that is missing. */
  async pieces({ plan }: Place): Promise<Hex[]> {
    const { job, redundancyIndex } = this.#id;
    const checksums: Hex[] = [];
    for (let segment = 0; segment < plan.segmentCount; segment += 1) {
      const key = pieceKey(job, segment, redundancyIndex);
      const piece = await this.#ports.pieces.stat(key, { signal: this.#signal });
      if (piece?.size !== plan.pieceLength(segment)) break;
      checksums.push(piece.checksum);
    }
    return checksums;
  }

  /**
   * The record of a complete column, all of whose pieces are stored and match its integrity hash; `sign` writes it.
   * @param checksums as `agreed` has them
   * @throws Terminal `integrity-mismatch` (80004)
   */
  complete(
    record: ColumnRecord,
    pieceChecksums: readonly Hex[],
    checksums: readonly Hex[],
  ): [ColumnRecord, HeldColumn] {
    const integrityHash = checkIntegrity(this.#id.redundancyIndex, pieceChecksums, checksums);
    const held = { pieceChecksums, integrityHash, checksums, at: Date.now() };
    // an earlier receipt covers other checksums
    const { receipt: _, ...rest } = record;
    return [{ ...rest, held }, held];
  }

  /**
   * Signs for a complete column with both keys, and stores record and receipt in one write, before which nobody has
   * the receipt. One already given to the same primary for the same group and announcement is repeated.
   */
  async sign(record: ColumnRecord, { checksums }: HeldColumn, { gvg, content }: Place): Promise<Receipt> {
    const { primarySpId: from } = gvg;
    const announcement = announcementOf(content, checksums);
    const isSame = record.announcement && isSameAnnouncement(record.announcement, announcement);
    if (isSame && record.receipt?.gvgId === gvg.id && record.from === from) return record.receipt;
    const { chain, keys } = this.#ports;
    const { job, redundancyIndex } = this.#id;
    const subject = { chainId: chain.chainId, objectId: job.objectId, gvg, redundancyIndex, checksums };
    const receipt = await signReceipt(subject, keys.operator.address, keys);
    await this.#columns.put({ ...record, from, announcement, receipt });
    return receipt;
  }

  /** Deletes everything stored of the column. @returns what to tell the primary */
  async discard(record: ColumnRecord, because: string): Promise<Retryable> {
    await this.#columns.discard(record, because, this.#signal);
    return new Retryable({
      code: 'column-discarded',
      message: `The stored pieces of the column were discarded: ${because}.`,
      advice: 'Offer the column again, from its first piece on.',
    });
  }
}

function isWanted(record: ColumnRecord, { content }: Place, offered: readonly Hex[]): boolean {
  return !record.discarding && isColumnOf(record, announcementOf(content, offered));
}

/**
 * The checksums that a column is checked against: those on chain or, for a delegated upload, which has none there,
 * those that its primary claims, including the one of this column.
 * @throws Terminal `checksums-differ` (50009)
 */
export function agreed(claimed: readonly Hex[], { content: { checksums }, plan }: Place): readonly Hex[] {
  if (checksums.length > 0 ? sameChecksums(claimed, checksums) : claimed.length === plan.columnCount + 1) {
    return claimed;
  }
  throw new Terminal({
    code: 'checksums-differ',
    message: 'The checksums at the end of the column are not those of the object.',
    gatewayCode: 50009,
  });
}
