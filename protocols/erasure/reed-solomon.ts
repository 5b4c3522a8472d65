import { Terminal } from '../errors.ts';
import { multiply } from './kernel.ts';
import { encodingMatrix, inverted, type Matrix, product, validShardCounts } from './matrix.ts';

/** Shards by redundancy index; undefined where one is missing. */
export type PartialShards = readonly (Uint8Array | undefined)[];

/** Of each shard: with 4 + 2, some hundred microseconds of work. */
const STEP_BYTES = 2 ** 18;

/**
 * Reed-Solomon code whose shards are, byte for byte, those of the chain's reference implementation
 * (protocols/erasure/README.md#the-code). Every segment is encoded on its own. Each call but one is synchronous; they use a fixed amount of
 * working memory and keep nothing; results are new arrays unless said otherwise.
 */
export class ReedSolomon {
  readonly dataShards: number;
  readonly parityShards: number;
  readonly #matrix: Matrix;

  /** @throws Terminal `bad-shard-counts` below one data shard or above 256 shards */
  constructor(dataShards: number, parityShards: number) {
    if (!validShardCounts(dataShards, parityShards)) {
      throw new Terminal({
        code: 'bad-shard-counts',
        message: `An erasure code cannot have ${dataShards} data and ${parityShards} parity shards.`,
      });
    }
    this.dataShards = dataShards;
    this.parityShards = parityShards;
    this.#matrix = encodingMatrix(dataShards, parityShards);
  }

  /** Bytes of each shard of a segment: an equal share, rounded up. */
  shardLength(segmentLength: number): number {
    return Math.ceil(segmentLength / this.dataShards);
  }

  /**
   * All shards of a segment, data first; the data shards are those of `split`. With a single data shard, all of
   * them are the segment itself.
   */
  encode(segment: Uint8Array): Uint8Array[] {
    return this.complete(this.split(segment));
  }

  /** All shards of a segment, of which the data shards are given; they are returned as they are. */
  complete(data: readonly Uint8Array[]): Uint8Array[] {
    return [...data, ...this.#parity(data, this.#matrix.slice(this.dataShards))];
  }

  /**
   * As `complete`, a step at a time: others come in between.
   * @param turn is awaited before each step
   * @param memory gives memory of exactly so many bytes for a parity shard, with any content
   */
  async completeInTurns(
    data: readonly Uint8Array[],
    turn: () => Promise<void>,
    memory: (length: number) => Uint8Array = allocate,
  ): Promise<readonly Uint8Array[]> {
    const rows = this.#matrix.slice(this.dataShards);
    const length = data[0]?.length ?? 0;
    if (data.length === 1 || length <= STEP_BYTES) return this.complete(data);
    const parity = rows.map(() => memory(length));
    for (let at = 0; at < length; at += STEP_BYTES) {
      const step = (shard: Uint8Array) => shard.subarray(at, at + STEP_BYTES);
      await turn();
      multiply(rows, data.map(step), parity.map(step));
    }
    return [...data, ...parity];
  }

  /** One shard of a segment, without the work for the others. @throws Terminal `bad-shard-index` */
  shard(segment: Uint8Array, index: number): Uint8Array {
    const row = this.#matrix[index];
    if (!row) {
      throw new Terminal({
        code: 'bad-shard-index',
        message: `Shard ${index} does not exist; there are ${this.#matrix.length}.`,
      });
    }
    if (index < this.dataShards) return this.#slice(segment, index);
    return this.#parity(this.split(segment), [row])[0] as Uint8Array;
  }

  /** The data shards of a segment: views of its bytes, but copies where the end is padded with zeros. */
  split(segment: Uint8Array): Uint8Array[] {
    return Array.from({ length: this.dataShards }, (_, index) => this.#slice(segment, index));
  }

  /**
   * All shards, from any `dataShards` of them; those present are returned as they are.
   * @throws Terminal `too-few-shards`, `bad-shards` when they are of different lengths or too many
   */
  rebuild(shards: PartialShards): Uint8Array[] {
    return this.#fill(shards, this.#matrix.length);
  }

  /**
   * The segment, from any `dataShards` of its shards.
   * @param segmentLength bytes of the segment: the padding is cut off
   * @throws Terminal `too-few-shards`, `bad-shards`
   */
  reconstruct(shards: PartialShards, segmentLength: number): Uint8Array {
    const data = this.#fill(shards, this.dataShards);
    const length = data[0]?.length ?? 0;
    if (length !== this.shardLength(segmentLength)) {
      throw badShards(`Shards of ${length} bytes do not fit a segment of ${segmentLength} bytes.`);
    }
    const segment = allocate(segmentLength);
    data.forEach((shard, i) => {
      const offset = Math.min(i * length, segmentLength);
      segment.set(shard.subarray(0, segmentLength - offset), offset);
    });
    return segment;
  }

  #slice(segment: Uint8Array, index: number): Uint8Array {
    const length = this.shardLength(segment.length);
    const view = segment.subarray(index * length, (index + 1) * length);
    if (view.length === length) return view;
    const padded = new Uint8Array(length);
    padded.set(view);
    return padded;
  }

  #parity(data: readonly Uint8Array[], rows: Matrix): Uint8Array[] {
    if (data.length === 1) return rows.map(() => data[0] as Uint8Array);
    const parity = rows.map(() => allocate(data[0]?.length ?? 0));
    multiply(rows, data, parity);
    return parity;
  }

  /** The first `count` shards, the missing ones computed from those present. */
  #fill(shards: PartialShards, count: number): Uint8Array[] {
    if (shards.length !== this.#matrix.length) {
      throw badShards(`Expected ${this.#matrix.length} places for shards, not ${shards.length}.`);
    }
    const present = shards.flatMap((shard, index) => (shard ? [{ shard, index }] : []));
    const used = present.slice(0, this.dataShards);
    if (used.length < this.dataShards) {
      throw new Terminal({
        code: 'too-few-shards',
        message: `Restoring a segment needs ${this.dataShards} shards; only ${used.length} are available.`,
      });
    }
    const length = used[0]?.shard.length ?? 0;
    if (present.some(({ shard }) => shard.length !== length)) throw badShards('The shards differ in length.');

    const missing = this.#matrix
      .slice(0, count)
      .flatMap((row, index) => (shards[index] ? [] : [{ row, index }]));
    const filled = shards.slice(0, count).map((shard) => shard ?? allocate(length));
    if (missing.length === 0) return filled;
    const decoding = inverted(used.map(({ index }) => this.#matrix[index] as Uint8Array));
    multiply(
      product(
        missing.map(({ row }) => row),
        decoding,
      ),
      used.map(({ shard }) => shard),
      missing.map(({ index }) => filled[index] as Uint8Array),
    );
    return filled;
  }
}

/** Memory of exactly this many bytes that is not zeroed first: it will be written from end to end. */
function allocate(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

function badShards(message: string): Terminal {
  return new Terminal({ code: 'bad-shards', message });
}
