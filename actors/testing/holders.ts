import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Retryable } from '#protocols/errors';
import type { Hex, Redundancy } from '#protocols/greenfield/types';
import { checksum, integrityHash } from '#protocols/integrity/checksums';
import { planPayload } from '#protocols/payload/plan';
import { redundancyCode } from '#protocols/payload/redundancy';
import type { ColumnRequest, PieceRequest, PieceSource } from '#runtime/peers/peers';
import type { SealedContent } from '../repair/content.ts';
import { group } from './providers.ts';

/** What a holder does when it is asked. `lies`: it sends other bytes of the same length. `hangs`: never answers. */
export type Holder = 'good' | 'missing' | 'lies' | 'hangs';

/** A sealed object of random bytes. SP 1 is its primary, SPs 2 to 7 are its secondaries. */
export interface SealedSample {
  readonly content: SealedContent;
  readonly segments: readonly Uint8Array[];
  /** By redundancy index, then by segment. */
  readonly columns: readonly (readonly Uint8Array[])[];
  readonly segmentChecksums: readonly Hex[];
}

let objects = 0;

export function sealedSample(
  redundancy: Redundancy,
  payloadSize: number,
  maxSegmentSize: number,
): SealedSample {
  objects += 1;
  const job = { objectId: String(8_000 + objects), version: 0 };
  const plan = planPayload({ payloadSize, maxSegmentSize, redundancy, dataChunks: 4, parityChunks: 2 });
  const payload = randomBytes(payloadSize);
  const segments = Array.from({ length: plan.segmentCount }, (_, index) => {
    const { offset, length } = plan.segment(index);
    return Uint8Array.from(payload.subarray(offset, offset + length));
  });
  const shards = segments.map((segment) => redundancyCode(plan).encode(segment));
  const columns = Array.from({ length: 6 }, (_, index) =>
    shards.map((of) => Uint8Array.from(of[index] ?? [])),
  );
  const checksums = [segments, ...columns].map((pieces) => integrityHash(pieces.map(checksum)));
  const object = {
    owner: '',
    creator: '',
    bucketName: 'bucket',
    objectName: `object-${objects}`,
    id: job.objectId,
    localVirtualGroupId: 1,
    payloadSize,
    visibility: 'PRIVATE',
    contentType: '',
    createdAt: 1,
    status: 'SEALED',
    redundancy,
    checksums,
    isUpdating: false,
    updatedAt: 0,
    updatedBy: '',
    version: 0,
  } as const;
  const content = { job, object, gvg: group(1, [2, 3, 4, 5, 6, 7]), plan, checksums };
  return { content, segments, columns, segmentChecksums: segments.map(checksum) };
}

/** The other SPs as an SP that repairs meets them. */
export class TestHolders implements PieceSource {
  readonly #sample: SealedSample;
  readonly #holders: Readonly<Record<number, Holder>>;
  readonly #lists: boolean;
  /** SP ids that pieces were fetched from. */
  readonly asked: number[] = [];

  /** @param holders by SP id; whoever is not named is good @param lists whether the wire carries lists */
  constructor(sample: SealedSample, holders: Readonly<Record<number, Holder>>, lists: boolean) {
    this.#sample = sample;
    this.#holders = holders;
    this.#lists = lists;
  }

  async fetchPiece(
    request: PieceRequest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Uint8Array> {
    const { to, redundancyIndex, segmentIndex, length } = request;
    this.asked.push(to);
    await this.#answers(to, signal);
    if (this.#holders[to] === 'lies') return randomBytes(length);
    return Uint8Array.from(this.#sample.columns[redundancyIndex]?.[segmentIndex] ?? []);
  }

  async fetchChecksums(
    { to, redundancyIndex, segmentCount }: ColumnRequest & { readonly segmentCount: number },
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly Hex[] | undefined> {
    if (!this.#lists) return undefined;
    await this.#answers(to, signal);
    if (this.#holders[to] === 'lies') return Array.from({ length: segmentCount }, () => 'ab'.repeat(32));
    return (this.#sample.columns[redundancyIndex] ?? []).map(checksum);
  }

  async #answers(to: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#holders[to] === 'hangs' && signal && !signal.aborted) await once(signal, 'abort');
    if (this.#holders[to] === 'missing' || this.#holders[to] === 'hangs') {
      throw new Retryable({ code: 'fetch-refused', message: 'It is not here.' });
    }
  }
}
