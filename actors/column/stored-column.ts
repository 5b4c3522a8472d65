import { Retryable, Terminal } from '../../protocols/errors.ts';
import { sameChecksums } from '../../protocols/greenfield/content.ts';
import type { Hex } from '../../protocols/greenfield/types.ts';
import { checkIntegrity } from '../../protocols/integrity/checksums.ts';
import type { Receipt } from '../../protocols/job/context.ts';
import { pieceKey } from '../../protocols/payload/keys.ts';
import { signReceipt } from '../../protocols/replication/receipts.ts';
import type { SecondaryPorts } from '../secondary-ports.ts';
import type { Place } from './check-offer.ts';
import { type ColumnId, type ColumnRecord, Columns, type HeldColumn } from './record.ts';

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

  /** What is known of the column; a deletion that has begun is finished first. */
  async record(): Promise<ColumnRecord | undefined> {
    const record = await this.#columns.get(this.#id);
    if (!record?.discarding) return record;
    await this.#columns.discard(record, record.discarding.because, this.#signal);
    return undefined;
  }

  /** From here on the caretaker knows that pieces may lie here. @param from sp id of the primary */
  async open(known: ColumnRecord | undefined, from: number, { plan }: Place): Promise<ColumnRecord> {
    const { job, redundancyIndex } = this.#id;
    const { segmentCount } = plan;
    const record = { ...known, job, redundancyIndex, from, segmentCount, touchedAt: Date.now() };
    await this.#columns.put(record);
    return record;
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

  /** Signs for a column that is held, with both keys, and keeps the receipt. */
  async sign(record: ColumnRecord, { checksums }: HeldColumn, { gvg }: Place): Promise<Receipt> {
    const { chain, keys } = this.#ports;
    const { job, redundancyIndex } = this.#id;
    const subject = { chainId: chain.chainId, objectId: job.objectId, gvg, redundancyIndex, checksums };
    const receipt = await signReceipt(subject, keys.operator.address, keys);
    await this.#columns.put({ ...record, receipt });
    return receipt;
  }

  /** Lets go of all that is stored. @returns what to tell the primary */
  async discard(record: ColumnRecord, because: string): Promise<Retryable> {
    await this.#columns.discard(record, because, this.#signal);
    return new Retryable({
      code: 'column-discarded',
      message: `What was stored of the column was discarded: ${because}.`,
      advice: 'Offer the column again, from its first piece on.',
    });
  }
}

/**
 * The checksums that a column is checked against: the chain's. A delegated upload has none there, and its primary's
 * word counts, for its own column as well.
 * @throws Terminal `checksums-differ` (50009)
 */
export function agreed(told: readonly Hex[], { content: { checksums }, plan }: Place): readonly Hex[] {
  if (checksums.length > 0 ? sameChecksums(told, checksums) : told.length === plan.columnCount + 1) {
    return told;
  }
  throw new Terminal({
    code: 'checksums-differ',
    message: 'The checksums at the end are not those of the object.',
    gatewayCode: 50009,
  });
}
