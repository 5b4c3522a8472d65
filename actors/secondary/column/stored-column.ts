import { Retryable, Terminal } from '#protocols/errors';
import { isSameAnnouncement, sameChecksums } from '#protocols/greenfield/content';
import type { Hex } from '#protocols/greenfield/types';
import { checkIntegrity } from '#protocols/integrity/checksums';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import { signReceipt } from '#protocols/replication/receipts';
import type { SecondaryPorts } from '../ports.ts';
import type { Place } from './check-offer.ts';
import { type ColumnId, type ColumnRecord, Columns, type HeldColumn } from './record.ts';
import { announcementOf, isColumnOf, OTHER_CONTENT } from './same-content.ts';

type Ports = Pick<SecondaryPorts, 'chain' | 'ledger' | 'pieces' | 'keys'>;

/**
 * One column on its way into our stores, whichever wire it comes over: record, pieces, integrity hash, signatures.
 * The record that justifies the signatures is durable before they are made.
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

  /** What is known of the column, if that is of the content which the object waits for. */
  async known({ content }: Place, offered: readonly Hex[]): Promise<ColumnRecord | undefined> {
    const record = await this.#columns.get(this.#id);
    if (!record || record.discarding) return undefined;
    return isColumnOf(record, announcementOf(content, offered)) ? record : undefined;
  }

  /**
   * From here on the caretaker knows that pieces may lie here. What lies here of other content goes first, and what
   * was held is not held any more.
   * @param from sp id of the primary
   * @param offered its checksums, as in `known`
   */
  open(from: number, place: Place, offered: readonly Hex[]): Promise<ColumnRecord> {
    return this.#columns.inTurn(this.#id, async () => {
      const { job, redundancyIndex } = this.#id;
      const known = await this.known(place, offered);
      const other = known ? undefined : await this.#columns.get(this.#id);
      if (other) await this.#columns.discard(other, other.discarding?.because ?? OTHER_CONTENT, this.#signal);
      const { segmentCount } = place.plan;
      const announcement = announcementOf(place.content, offered);
      const record = { job, redundancyIndex, from, announcement, segmentCount, touchedAt: Date.now() };
      await this.#columns.put(record);
      return record;
    });
  }

  /** What a record says is held, if every piece of it is really here: nothing is signed for by memory alone. */
  async held(record: ColumnRecord, place: Place): Promise<HeldColumn | undefined> {
    const { held } = record;
    if (!held) return undefined;
    return sameChecksums(await this.pieces(place), held.pieceChecksums) ? held : undefined;
  }

  /** Checksums of the pieces that are here, up to the first that is missing. */
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
   * Takes the column over: all its pieces are here and make up its integrity hash.
   * @param checksums as `agreed` has them
   * @throws Terminal `integrity-mismatch` (80004)
   */
  async hold(
    record: ColumnRecord,
    pieceChecksums: readonly Hex[],
    checksums: readonly Hex[],
  ): Promise<[ColumnRecord, HeldColumn]> {
    const integrityHash = checkIntegrity(this.#id.redundancyIndex, pieceChecksums, checksums);
    const held = { pieceChecksums, integrityHash, checksums, at: Date.now() };
    // a receipt of before stands for other checksums
    const { receipt: _, ...rest } = record;
    const complete = { ...rest, held };
    await this.#columns.put(complete);
    return [complete, held];
  }

  /**
   * Signs for a column that is held, with both keys, and keeps the receipt. The receipt that was given to the same
   * primary for the same group and announcement is repeated.
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

  /** Lets go of all that is stored. @returns what to tell the primary */
  async discard(record: ColumnRecord, because: string): Promise<Retryable> {
    await this.#columns.discard(record, because, this.#signal);
    return new Retryable({
      code: 'column-discarded',
      message: `The stored pieces of the column were discarded: ${because}.`,
      advice: 'Offer the column again, from its first piece on.',
    });
  }
}

/**
 * The checksums that a column is checked against: the chain's. A delegated upload has none there, and its primary's
 * word counts, for its own column as well.
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
