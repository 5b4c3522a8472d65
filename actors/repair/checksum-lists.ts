import { LRUCache } from 'lru-cache';
import { Retryable, type SealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { checksum, integrityHash, PRIMARY } from '#protocols/integrity/checksums';
import { formatJobId } from '#protocols/job/identity';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import { watchItems } from '#runtime/telemetry/sizes';
import { readJob } from '../job-log.ts';
import { Columns } from '../ledger/column-record.ts';
import { SegmentRecords } from '../ledger/segment-record.ts';
import type { SealedContent } from './content.ts';
import type { RepairPorts } from './ports.ts';

/** Cached checksum lists of other SPs' columns. */
const KEPT = { max: 64, ttl: 600_000 };

/**
 * The checksums of single pieces. The chain has only one hash over all pieces of a role. A list from any source is
 * trusted when it hashes to that value; then each piece can be verified on its own.
 */
export class ChecksumLists {
  readonly #ports: RepairPorts;
  readonly #columns: Columns;
  readonly #records: SegmentRecords;
  readonly #known = new LRUCache<string, readonly Hex[]>(KEPT);

  constructor(ports: RepairPorts) {
    this.#ports = ports;
    watchItems(ports.sizes, 'checksum_lists', this.#known);
    this.#columns = new Columns({ ledger: ports.journal.ledger, pieces: ports.pieces });
    this.#records = new SegmentRecords(ports.journal.ledger);
  }

  /**
   * The checksums of what we store ourselves, from our records or the PieceStore; undefined when neither matches
   * the chain.
   * @param role `PRIMARY`, or the index of our column
   */
  async own(content: SealedContent, role: number, signal: AbortSignal): Promise<readonly Hex[] | undefined> {
    const known = this.#recall(content, role);
    if (known) return known;
    for await (const list of this.#candidates(content, role, signal)) {
      if (list && fits(list, content, role)) return this.#keep(content, role, list);
    }
    return undefined;
  }

  /** Accepts a list of our own checksums obtained in another way. @returns false when it does not fit the chain */
  async learn(content: SealedContent, role: number, list: readonly Hex[]): Promise<boolean> {
    if (!fits(list, content, role)) return false;
    this.#keep(content, role, list);
    if (role === PRIMARY) await this.#records.put({ job: content.job, segmentChecksums: list });
    return true;
  }

  /**
   * The list of another SP's column. If the wire carries no list, or the holder's is wrong, the whole column is
   * read once, piece by piece; the caller must have reserved memory for one piece.
   * @throws Retryable `column-unverified` when the holder's column is not the chain's; as `fetchPiece`
   */
  async ofColumn(content: SealedContent, index: number, signal: AbortSignal): Promise<readonly Hex[]> {
    const known = this.#recall(content, index);
    if (known) return known;
    const { job, gvg, plan } = content;
    const to = gvg.secondarySpIds[index] ?? 0;
    const column = { job, to, gvgId: gvg.id, redundancyIndex: index };
    const claimed = await this.#ports.peers.fetchChecksums(
      { ...column, segmentCount: plan.segmentCount },
      { signal },
    );
    if (claimed && fits(claimed, content, index)) return this.#keep(content, index, claimed);
    const read: Hex[] = [];
    for (let segmentIndex = 0; segmentIndex < plan.segmentCount; segmentIndex += 1) {
      const length = plan.pieceLength(segmentIndex);
      const bytes = await this.#ports.peers.fetchPiece({ ...column, segmentIndex, length }, { signal });
      read.push(checksum(bytes));
    }
    if (fits(read, content, index)) return this.#keep(content, index, read);
    throw unverified(content, index);
  }

  async *#candidates(
    content: SealedContent,
    role: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Hex[] | undefined> {
    const { job } = content;
    if (role === PRIMARY) {
      yield (await this.#records.get(job))?.segmentChecksums;
      yield (await readJob(job, this.#ports.journal, signal))?.payload?.segmentChecksums;
    } else {
      yield (await this.#columns.get({ job, redundancyIndex: role }))?.held?.pieceChecksums;
    }
    yield this.#stored(content, role, signal);
  }

  /** The checksums stored in the PieceStore; undefined when a piece is missing. */
  async #stored(
    { job, plan }: SealedContent,
    role: number,
    signal: AbortSignal,
  ): Promise<readonly Hex[] | undefined> {
    const list: Hex[] = [];
    for (let segment = 0; segment < plan.segmentCount; segment += 1) {
      const key = role === PRIMARY ? segmentKey(job, segment) : pieceKey(job, segment, role);
      const stored = await this.#ports.pieces.stat(key, { signal });
      if (!stored) return undefined;
      list.push(stored.checksum);
    }
    return list;
  }

  #recall({ job, checksums }: SealedContent, role: number): readonly Hex[] | undefined {
    return this.#known.get(`${formatJobId(job)}/${role}/${checksums[role + 1]}`);
  }

  #keep({ job, checksums }: SealedContent, role: number, list: readonly Hex[]): readonly Hex[] {
    this.#known.set(`${formatJobId(job)}/${role}/${checksums[role + 1]}`, list);
    return list;
  }
}

function fits(list: readonly Hex[], { plan, checksums }: SealedContent, role: number): boolean {
  return list.length === plan.segmentCount && integrityHash(list) === checksums[role + 1];
}

function unverified({ gvg }: SealedContent, index: number): SealionError {
  return new Retryable({
    code: 'column-unverified',
    message: `Column ${index} at storage provider ${gvg.secondarySpIds[index]} does not match the chain.`,
  });
}
