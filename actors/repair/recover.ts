import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, toSealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { checksum, PRIMARY } from '#protocols/integrity/checksums';
import { formatJobId } from '#protocols/job/identity';
import { redundancyCode } from '#protocols/payload/redundancy';
import { ended } from '#runtime/telemetry/traces';
import type { ChecksumLists } from './checksum-lists.ts';
import type { SealedContent } from './content.ts';
import { decodeSegment } from './decode.ts';
import { gather, type ShardSource } from './gather.ts';
import type { RepairPorts } from './ports.ts';

/** A restored piece or segment, with the checksum it was verified against. */
export interface Recovered {
  readonly bytes: Uint8Array;
  readonly checksum: Hex;
}

/** What is restored within a trace. */
interface TracedContent extends SealedContent {
  readonly trace?: string;
}

/** A piece of our column and its checksum, from a list that matches the chain. */
export interface PieceAt {
  readonly column: number;
  readonly segmentIndex: number;
  readonly expected: Hex;
}

/** Restores segments and pieces from those of the object's other holders. Writes nothing. */
export class Recoverer {
  readonly #ports: RepairPorts;
  readonly #lists: ChecksumLists;

  constructor(ports: RepairPorts, lists: ChecksumLists) {
    this.#ports = ports;
    this.#lists = lists;
  }

  /**
   * A segment of the primary from any four of the six columns, with REPLICA from any one.
   * @param use consumes the segment while its memory is reserved
   * @param trace the traceparent of whoever needs it
   * @throws Retryable `too-few-pieces`; what `use` throws; Cancelled
   */
  async segment<T>(
    content: SealedContent,
    index: number,
    use: (segment: Recovered) => Promise<T>,
    signal: AbortSignal,
    trace?: string,
  ): Promise<T> {
    const expected = (await this.#lists.own(content, PRIMARY, signal))?.[index];
    return this.#traced('restore segment', content, index, trace, (traced) =>
      this.#inMemory(content, index, signal, async () => {
        const bytes = await this.#decode(traced, index, { expected, without: undefined, signal });
        return use({ bytes, checksum: expected ?? checksum(bytes) });
      }),
    );
  }

  /**
   * A piece of our column, from the primary's segment or from any four other columns.
   * @param use as in `segment`
   * @throws as `segment`
   */
  async piece<T>(
    content: SealedContent,
    at: PieceAt,
    use: (piece: Recovered) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const { segmentIndex: index, expected } = at;
    return this.#traced('restore piece', content, index, undefined, (traced) =>
      this.#inMemory(content, index, signal, async () =>
        use({ bytes: await this.#piece(traced, at, signal), checksum: expected }),
      ),
    );
  }

  #traced<T>(
    name: string,
    content: SealedContent,
    index: number,
    parent: string | undefined,
    work: (traced: TracedContent) => Promise<T>,
  ): Promise<T> {
    const attributes = { 'sealion.job': formatJobId(content.job), 'sealion.segment': index };
    const span = this.#ports.traces.root(name, { parent, attributes });
    const { traceparent: trace } = span;
    return ended(span, work({ ...content, ...(trace !== undefined && { trace }) }));
  }

  async #piece(content: TracedContent, at: PieceAt, signal: AbortSignal): Promise<Uint8Array> {
    const { column, segmentIndex, expected } = at;
    const over = new AbortController();
    const stop = () => over.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const fromPrimary = this.#fetch(content, content.gvg.primarySpId, column, segmentIndex, over.signal).then(
      (bytes) => verified(bytes, expected),
    );
    const fromOthers = async () => {
      const slow = sleep(this.#ports.hedgeMs, undefined, { signal: over.signal });
      await Promise.race([
        slow,
        fromPrimary.then(
          () => slow,
          () => undefined,
        ),
      ]);
      const segment = await this.#decode(content, segmentIndex, {
        expected: undefined,
        without: column,
        signal: over.signal,
      });
      return verified(redundancyCode(content.plan).shard(segment, column), expected);
    };
    try {
      return await Promise.any([fromPrimary, fromOthers()]);
    } catch (error) {
      throw asRetryable(error);
    } finally {
      signal.removeEventListener('abort', stop);
      over.abort();
    }
  }

  /**
   * Decodes a segment from columns. If its checksum is known, any pieces that arrive are tried together; otherwise
   * each piece is first verified against its column's checksums.
   */
  async #decode(
    content: TracedContent,
    segmentIndex: number,
    options: {
      readonly expected: Hex | undefined;
      /** A column to exclude. */
      readonly without: number | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<Uint8Array> {
    const { gvg, plan } = content;
    const { expected, without, signal } = options;
    const code = redundancyCode(plan);
    const { length } = plan.segment(segmentIndex);
    const sources = gvg.secondarySpIds.flatMap((spId, index): ShardSource[] => {
      if (index === without || spId === this.#ports.spId) return [];
      const fetch = async (over: AbortSignal) => {
        if (expected !== undefined) return this.#fetch(content, spId, index, segmentIndex, over);
        const list = await this.#lists.ofColumn(content, index, over);
        const bytes = await this.#fetch(content, spId, index, segmentIndex, over);
        return verified(bytes, list[segmentIndex]);
      };
      return [{ index, name: `sp ${spId}`, fetch }];
    });
    return gather(sources, {
      need: code.dataShards,
      hedgeMs: this.#ports.hedgeMs,
      signal,
      accept: (shards, newest) => decodeSegment(code, shards, newest, { length, expected }),
    });
  }

  #fetch(
    { job, gvg, plan, trace }: TracedContent,
    to: number,
    redundancyIndex: number,
    segmentIndex: number,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const length = plan.pieceLength(segmentIndex);
    const traced = trace === undefined ? {} : { trace };
    const request = { job, to, gvgId: gvg.id, redundancyIndex, segmentIndex, length, ...traced };
    return this.#ports.peers.fetchPiece(request, { signal });
  }

  /** Reserves memory for the pieces that may arrive and for the decoded segment. */
  async #inMemory<T>(
    { plan }: SealedContent,
    segmentIndex: number,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    const bytes = plan.segment(segmentIndex).length + plan.columnCount * plan.pieceLength(segmentIndex);
    const release = await this.#ports.memory.acquire(bytes, signal);
    try {
      return await work();
    } finally {
      release();
    }
  }
}

/** @throws Retryable `piece-unverified` */
function verified(bytes: Uint8Array, expected: Hex | undefined): Uint8Array {
  if (checksum(bytes) === expected) return bytes;
  throw new Retryable({
    code: 'piece-unverified',
    message: 'The bytes received do not match their checksum.',
  });
}

function asRetryable(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const reasons = error.errors.map((reason: unknown) => toSealionError(reason));
  const cancelled = reasons.find(({ kind }) => kind === 'cancelled');
  if (cancelled && reasons.every(({ kind }) => kind === 'cancelled')) return cancelled;
  return new Retryable({
    code: 'too-few-pieces',
    message: `The piece cannot be restored: ${reasons.map(({ message }) => message).join(' ')}`,
    cause: error,
  });
}
