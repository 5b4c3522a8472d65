import { Retryable, Terminal } from '../../protocols/errors.ts';
import type { Hex } from '../../protocols/greenfield/types.ts';
import { checkIntegrity } from '../../protocols/integrity/checksums.ts';
import type { Receipt } from '../../protocols/job/context.ts';
import { pieceKey } from '../../protocols/payload/keys.ts';
import { signReceipt } from '../../protocols/replication/receipts.ts';
import type { Activity } from '../../runtime/actors/types.ts';
import type { InboundOffer, InboundPiece, InboundSession } from '../../runtime/peers/peers.ts';
import type { SecondaryPorts } from '../secondary-ports.ts';
import { checkOffer, type Place, sameChecksums } from './check-offer.ts';
import { type ColumnRecord, Columns, type HeldColumn } from './record.ts';

export interface ReceptionOptions {
  readonly inbound: InboundOffer;
  readonly ports: SecondaryPorts;
  readonly signal: AbortSignal;
  say(activity: Activity): void;
}

/**
 * One offer on its way to a receipt: checks it, takes the missing pieces in, checks the column, and signs. The
 * record that justifies the signatures is durable before they are made.
 */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #columns: Columns;
  #session: InboundSession | undefined;

  constructor(options: ReceptionOptions) {
    this.#options = options;
    this.#columns = new Columns(options.ports);
  }

  /** @throws Terminal when another offer of the same column cannot help, Retryable when it can */
  async receipt(): Promise<Receipt> {
    const { inbound, ports, signal, say } = this.#options;
    const { offer } = inbound;
    let record = await this.#columns.get(offer);
    if (record?.discarding) {
      await this.#columns.discard(record, record.discarding.because, signal);
      record = undefined;
    }
    if (record?.receipt?.gvgId === offer.gvgId && record.from === offer.from) return record.receipt;
    say({ doing: 'checking the offer', waitsFor: 'the chain' });
    const place = await checkOffer(offer, ports, signal);
    if (record?.held) return this.#sign(record, record.held, place);
    const fresh = await this.#open(record, place);
    return this.#sign(...(await this.#fill(fresh, place)), place);
  }

  /** After the offer was settled: that says all, and this nothing more. */
  close(): void {
    this.#session?.close();
  }

  /** From here on the caretaker knows that pieces may lie here. */
  async #open(known: ColumnRecord | undefined, place: Place): Promise<ColumnRecord> {
    const { job, redundancyIndex, from } = this.#options.inbound.offer;
    const { segmentCount } = place.plan;
    const record = { ...known, job, redundancyIndex, from, segmentCount, touchedAt: Date.now() };
    await this.#columns.put(record);
    return record;
  }

  async #fill(record: ColumnRecord, place: Place): Promise<[ColumnRecord, HeldColumn]> {
    const { inbound, signal } = this.#options;
    const { plan } = place;
    const pieceChecksums = await this.#stored(record, place);
    const firstMissing = pieceChecksums.length;
    this.#session = await inbound.accept(firstMissing, { signal });
    for await (const piece of this.#session.pieces({ signal })) {
      this.#say(pieceChecksums.length, place);
      pieceChecksums.push(await this.#store(record, place, piece, pieceChecksums.length));
    }
    const told = await this.#session.done({ signal });
    if (pieceChecksums.length !== plan.segmentCount) {
      throw new Retryable({
        code: 'pieces-missing',
        message: `${pieceChecksums.length} of ${plan.segmentCount} pieces have come.`,
        advice: 'Offer the column again: it goes on at the first missing piece.',
      });
    }
    const checksums = this.#agreed(told, place);
    const integrityHash = await this.#check(record, pieceChecksums, checksums, firstMissing > 0);
    const held = { pieceChecksums, integrityHash, checksums, at: Date.now() };
    const complete = { ...record, held };
    await this.#columns.put(complete);
    return [complete, held];
  }

  /** Checksums of the pieces that are here, up to the first that is missing. */
  async #stored({ job, redundancyIndex }: ColumnRecord, { plan }: Place): Promise<Hex[]> {
    const { ports, signal } = this.#options;
    const checksums: Hex[] = [];
    for (let segment = 0; segment < plan.segmentCount; segment += 1) {
      const piece = await ports.pieces.stat(pieceKey(job, segment, redundancyIndex), { signal });
      if (piece?.size !== plan.pieceLength(segment)) break;
      checksums.push(piece.checksum);
    }
    return checksums;
  }

  async #store(record: ColumnRecord, { plan }: Place, piece: InboundPiece, expected: number): Promise<Hex> {
    const { ports, signal } = this.#options;
    const { segmentIndex, size, bytes } = piece;
    if (segmentIndex !== expected || size !== plan.pieceLength(segmentIndex)) {
      throw new Terminal({
        code: 'wrong-piece',
        message: `Piece ${segmentIndex} of ${size} bytes came where piece ${expected} was due.`,
      });
    }
    const key = pieceKey(record.job, segmentIndex, record.redundancyIndex);
    try {
      return (await ports.pieces.put(key, bytes, { signal })).checksum;
    } catch (error) {
      if (!(error instanceof Terminal) || error.code !== 'piece-exists') throw error;
      throw await this.#discard(record, `other bytes lie where piece ${segmentIndex} belongs`);
    }
  }

  /** A delegated upload has no checksums on chain: its primary's word counts, for its own column as well. */
  #agreed(told: readonly Hex[], { checksums, plan }: Place): readonly Hex[] {
    if (checksums.length > 0 ? sameChecksums(told, checksums) : told.length === plan.columnCount + 1) {
      return told;
    }
    throw new Terminal({
      code: 'checksums-differ',
      message: 'The checksums at the end are not those of the object.',
    });
  }

  /** Pieces that were here before may be the wrong ones, so the first mismatch after a resumption gets a new try. */
  async #check(
    record: ColumnRecord,
    pieceChecksums: readonly Hex[],
    checksums: readonly Hex[],
    resumed: boolean,
  ): Promise<Hex> {
    try {
      return checkIntegrity(record.redundancyIndex, pieceChecksums, checksums);
    } catch (error) {
      const discarded = await this.#discard(record, 'its pieces do not make up the integrity hash');
      throw resumed ? discarded : error;
    }
  }

  /** @returns what to tell the primary */
  async #discard(record: ColumnRecord, because: string): Promise<Retryable> {
    await this.#columns.discard(record, because, this.#options.signal);
    return new Retryable({
      code: 'column-discarded',
      message: `What was stored of the column was discarded: ${because}.`,
      advice: 'Offer the column again, from its first piece on.',
    });
  }

  async #sign(record: ColumnRecord, { checksums }: HeldColumn, { gvg }: Place): Promise<Receipt> {
    const { ports, say } = this.#options;
    const { job, redundancyIndex } = record;
    say({ doing: 'signing the receipt' });
    const subject = { chainId: ports.chain.chainId, objectId: job.objectId, gvg, redundancyIndex, checksums };
    const receipt = await signReceipt(subject, ports.keys.operator.address, ports.keys);
    await this.#columns.put({ ...record, receipt });
    return receipt;
  }

  #say(done: number, { plan }: Place): void {
    const { from } = this.#options.inbound.offer;
    this.#options.say({
      doing: 'receiving pieces',
      waitsFor: `sp ${from}`,
      progress: { done, total: plan.segmentCount, unit: 'segments' },
    });
  }
}
