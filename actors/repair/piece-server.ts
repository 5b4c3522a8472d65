import { LRUCache } from 'lru-cache';
import { Retryable, SealionError, Terminal } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import { redundancyCode } from '#protocols/payload/redundancy';
import type { ReadRecoveryTask } from '#protocols/replication/recovery-message';
import type { InboundFetch } from '#runtime/peers/peers';
import { watchItems } from '#runtime/telemetry/sizes';
import type { ChecksumLists } from './checksum-lists.ts';
import { type SealedContent, sealedContent } from './content.ts';
import { checkFetch, checkTask } from './piece-access.ts';
import type { RepairPorts } from './ports.ts';

/** Cached chain data of an object, for the ranges of one piece; ms. */
const CONTENTS = { max: 64, ttl: 5_000 };
/** Cached parity pieces that are served range by range: each takes a whole segment to compute. */
const MADE = { max: 4, ttl: 10_000 };

/** A part of a column that the requester may have. */
interface PieceRange {
  readonly content: SealedContent;
  readonly column: number;
  readonly segmentIndex: number;
  readonly offset: number;
  readonly length: number;
}

/** Serves stored pieces to other SPs that repair theirs, after a check against the chain. */
export class PieceServer {
  readonly #ports: RepairPorts;
  readonly #lists: ChecksumLists;
  readonly #contents = new LRUCache<string, SealedContent>(CONTENTS);
  readonly #made = new LRUCache<string, Promise<Uint8Array>>(MADE);

  constructor(ports: RepairPorts, lists: ChecksumLists) {
    this.#ports = ports;
    this.#lists = lists;
    watchItems(ports.sizes, 'sealed_contents', this.#contents);
    watchItems(ports.sizes, 'computed_pieces', this.#made);
  }

  /**
   * A range of a piece, or of a column's list, over NATS.
   * @throws Terminal `not-sealed`, `wrong-group`, `not-entitled`, `no-such-segment`, `piece-missing`; Retryable
   * `piece-corrupt`, `piece-store-unavailable`
   */
  async serveRange(fetch: InboundFetch, signal: AbortSignal): Promise<Uint8Array> {
    const content = await this.#content(fetch.job, signal);
    checkFetch(content, this.#ports.spId, fetch);
    const { redundancyIndex: column, segmentIndex, offset, length } = fetch;
    if (segmentIndex !== undefined)
      return this.#piece({ content, column, segmentIndex, offset, length }, signal);
    const list = await this.#lists.own(content, column, signal);
    // a primary would have to encode the whole object for it
    if (!list || content.gvg.secondarySpIds[column] !== this.#ports.spId) {
      throw new Terminal({
        code: 'list-unknown',
        message: 'This node does not know the checksums of this column.',
      });
    }
    return Buffer.from(list.join(''), 'hex').subarray(offset, offset + length);
  }

  /**
   * A whole piece, over HTTP, checked in the order of today's SPs.
   * @throws as `checkTask`; Terminal `piece-missing` (85102); Retryable `piece-corrupt` (85101)
   */
  async serveTask(task: ReadRecoveryTask, signal: AbortSignal): Promise<Uint8Array> {
    const { content, column, from } = await checkTask(task, this.#ports, signal);
    const { counts } = this.#ports;
    const { segmentIndex } = task;
    const { segmentCount, pieceLength } = content.plan;
    const length = segmentIndex < segmentCount ? pieceLength(segmentIndex) : 0;
    try {
      const bytes = await this.#piece({ content, column, segmentIndex, offset: 0, length }, signal);
      counts.done('served', from, 'http');
      counts.bytes('served', from, 'http', bytes.length);
      return bytes;
    } catch (error) {
      counts.failed('served', from, 'http', error);
      throw error;
    }
  }

  async #content(job: JobId, signal: AbortSignal): Promise<SealedContent> {
    const name = formatJobId(job);
    const known = this.#contents.get(name);
    if (known) return known;
    const content = await sealedContent(job, this.#ports.chain, signal);
    this.#contents.set(name, content);
    return content;
  }

  async #piece(part: PieceRange, signal: AbortSignal): Promise<Uint8Array> {
    const { content, column, segmentIndex, offset, length } = part;
    const { spId } = this.#ports;
    if (segmentIndex >= content.plan.segmentCount) {
      throw new Terminal({
        code: 'no-such-segment',
        message: `There is no segment ${segmentIndex}.`,
        gatewayCode: 85102,
      });
    }
    try {
      if (content.gvg.secondarySpIds[column] === spId) {
        return await this.#read(pieceKey(content.job, segmentIndex, column), offset, length, signal);
      }
      return await this.#make(part, signal);
    } catch (error) {
      throw withGatewayCode(error);
    }
  }

  /** Computes a piece from the primary's segment; a data shard is just a range of it. */
  async #make(
    { content, column, segmentIndex, offset, length }: PieceRange,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { job, plan } = content;
    const code = redundancyCode(plan);
    const key = segmentKey(job, segmentIndex);
    const shardLength = plan.pieceLength(segmentIndex);
    const end = Math.min(shardLength, offset + length);
    if (column < code.dataShards || code.dataShards === 1) {
      const at = code.dataShards === 1 ? 0 : column * shardLength;
      const bytes = new Uint8Array(Math.max(0, end - offset));
      const left = Math.max(0, plan.segment(segmentIndex).length - at - offset);
      // bytes beyond the segment are padding
      bytes.set(await this.#read(key, at + offset, Math.min(left, bytes.length), signal));
      return bytes;
    }
    const name = `${key}/${column}`;
    const made =
      this.#made.get(name) ??
      (async () => {
        const release = await this.#ports.memory.acquire(plan.segment(segmentIndex).length, signal);
        try {
          return code.shard(await this.#ports.pieces.get(key, { signal }), column).slice();
        } finally {
          release();
        }
      })();
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return (await made).subarray(offset, end);
  }

  async #read(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    if (length === 0) return bytes;
    let filled = 0;
    for await (const chunk of this.#ports.pieces.read(key, { offset, length, signal })) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return bytes.subarray(0, filled);
  }
}

/** Adds the gateway code of a PieceStore failure for the HTTP wire. */
function withGatewayCode(error: unknown): unknown {
  if (!(error instanceof SealionError)) return error;
  const gatewayCode = { 'piece-missing': 85102, 'piece-corrupt': 85101, 'piece-store-unavailable': 85101 }[
    error.code
  ];
  if (gatewayCode === undefined) return error;
  const facts = { code: error.code, message: error.message, gatewayCode, cause: error };
  return error.kind === 'terminal' ? new Terminal(facts) : new Retryable(facts);
}
