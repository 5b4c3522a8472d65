import { Retryable, Terminal } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import type { Activity } from '#runtime/actors/types';
import type { InboundOffer, InboundPiece, InboundSession } from '#runtime/peers/peers';
import type { ColumnRecord, HeldColumn } from '../../ledger/column-record.ts';
import type { SecondaryPorts } from '../ports.ts';
import { checkOffer, type Place } from './check-offer.ts';
import { agreed, StoredColumn } from './stored-column.ts';

export interface ReceptionOptions {
  readonly inbound: InboundOffer;
  readonly ports: SecondaryPorts;
  readonly signal: AbortSignal;
  say(activity: Activity): void;
}

/** Processes one offer: checks it, receives the missing pieces, checks the column, and signs the receipt. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #column: StoredColumn;
  #session: InboundSession | undefined;

  constructor(options: ReceptionOptions) {
    const { inbound, ports, signal } = options;
    this.#options = options;
    this.#column = new StoredColumn(inbound.offer, ports, signal);
  }

  /** @throws Terminal when another offer of the same column cannot help, Retryable when it can */
  async receipt(): Promise<Receipt> {
    const { inbound, ports, signal, say } = this.#options;
    const { offer } = inbound;
    say({ doing: 'checking the offer', waitsFor: 'the chain' });
    const place = await checkOffer(offer, ports, signal);
    const known = await this.#column.known(place, offer.checksums);
    const standing = known && (await this.#column.held(known, place));
    const [record, held] = standing ? [known, standing] : await this.#fill(place);
    say({ doing: 'signing the receipt' });
    return this.#column.sign(record, held, place);
  }

  /** Call after the offer was answered; sends nothing. */
  close(): void {
    this.#session?.close();
  }

  async #fill(place: Place): Promise<[ColumnRecord, HeldColumn]> {
    const { inbound, signal } = this.#options;
    const { plan } = place;
    const { from, checksums } = inbound.offer;
    const record = await this.#column.open(from, place, checksums, inbound.carriesColumn);
    const pieceChecksums = inbound.carriesColumn ? [] : await this.#column.pieces(place);
    const firstMissing = pieceChecksums.length;
    this.#session = await inbound.accept(firstMissing, { signal });
    for await (const piece of this.#session.pieces({ signal })) {
      this.#say(pieceChecksums.length, place);
      pieceChecksums.push(await this.#store(record, place, piece, pieceChecksums.length));
    }
    const claimed = await this.#session.done({ signal });
    if (pieceChecksums.length !== plan.segmentCount) {
      throw new Retryable({
        code: 'pieces-missing',
        message: `${pieceChecksums.length} of ${plan.segmentCount} pieces have arrived.`,
        advice: 'Offer the column again: the transfer continues with the first missing piece.',
      });
    }
    return this.#complete(record, pieceChecksums, agreed(claimed, place), firstMissing > 0);
  }

  async #store(record: ColumnRecord, { plan }: Place, piece: InboundPiece, expected: number): Promise<Hex> {
    const { inbound, ports, signal } = this.#options;
    const { segmentIndex, size, bytes } = piece;
    // For small pieces, writing one that already exists is cheaper than always looking first.
    const seenAbsent = inbound.carriesColumn ?? false;
    if (segmentIndex !== expected || size !== plan.pieceLength(segmentIndex)) {
      throw new Terminal({
        code: 'wrong-piece',
        message: `Piece ${segmentIndex} of ${size} bytes arrived where piece ${expected} was expected.`,
      });
    }
    const key = pieceKey(record.job, segmentIndex, record.redundancyIndex);
    try {
      return (await ports.pieces.put(key, bytes, { signal, seenAbsent })).checksum;
    } catch (error) {
      if (!(error instanceof Terminal) || error.code !== 'piece-exists') throw error;
      throw await this.#column.discard(record, `other bytes are stored as piece ${segmentIndex}`);
    }
  }

  /** Pieces stored earlier may be wrong, so the first mismatch after a resumption is retried. */
  async #complete(
    record: ColumnRecord,
    pieceChecksums: readonly Hex[],
    checksums: readonly Hex[],
    resumed: boolean,
  ): Promise<[ColumnRecord, HeldColumn]> {
    try {
      return this.#column.complete(record, pieceChecksums, checksums);
    } catch (error) {
      if (!(error instanceof Terminal)) throw error;
      const discarded = await this.#column.discard(record, 'its pieces do not match the integrity hash');
      throw resumed ? discarded : error;
    }
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
