import { Retryable } from '#protocols/errors';
import { currentContent, sameChecksums, versionOnChain } from '#protocols/greenfield/content';
import { hexToBase64 } from '#protocols/greenfield/hex';
import type { Hex, ObjectInfo, ObjectOnChain, StorageParams } from '#protocols/greenfield/types';
import type { WireObject } from '#protocols/replication/amino-json';
import { formatReceiveMessage } from '#protocols/replication/receive-message';
import { type ReceiveTask, receiveTaskDigest } from '#protocols/replication/receive-task';
import type { Age, Chain } from '../../chain/chain.ts';
import { OBJECT_STATUS, REDUNDANCY, VISIBILITY } from '../../chain/decode.ts';
import type { AccountKey } from '../../keys/keys.ts';
import type { ColumnOffer } from '../peers.ts';

/** The fields in which the tasks of one column differ. */
export type TaskStep =
  | { readonly segmentIndex: number; readonly pieceSize: number; readonly pieceChecksum: Hex }
  | { readonly finished: true; readonly checksums: readonly Hex[] };

export interface ColumnTaskOptions {
  readonly offer: ColumnOffer;
  readonly chain: Pick<Chain, 'objectById' | 'storageParams'>;
  readonly operatorKey: AccountKey;
  readonly signal: AbortSignal | undefined;
}

/** The signed receive tasks of one column, with the object and the parameters as they are on chain now. */
export class ColumnTask {
  readonly #offer: ColumnOffer;
  readonly #operatorKey: AccountKey;
  readonly #object: WireObject;
  readonly #params: WireObject;
  readonly #delegated: boolean;
  /** Unix seconds. */
  readonly announcedAt: number;

  private constructor({ offer, operatorKey }: ColumnTaskOptions, object: ObjectInfo, params: StorageParams) {
    this.#offer = offer;
    this.#operatorKey = operatorKey;
    this.#object = wireObject(object);
    this.#params = wireParams(params);
    this.#delegated = object.checksums.length === 0;
    this.announcedAt = currentContent({ object }).announcedAt;
  }

  /**
   * @throws Retryable `object-unknown` when the chain does not know the content, or has other content under that
   * version; as the chain
   */
  static async describe(options: ColumnTaskOptions): Promise<ColumnTask> {
    const { offer, chain, signal } = options;
    const asked = signal ? { signal } : {};
    const look = async (age: Age) => {
      const found = await chain.objectById(offer.job.objectId, { age, ...asked });
      const object = found && withContent(found, offer.job.version);
      return object && isOffered(object, offer) ? object : undefined;
    };
    // The six columns of an object are prepared at the same time, and share a cached answer.
    const object = (await look('block')) ?? (await look('now'));
    if (!object) {
      throw new Retryable({
        code: 'object-unknown',
        message: `The chain does not know the offered content of version ${offer.job.version} of object ${offer.job.objectId}.`,
      });
    }
    const { announcedAt } = currentContent({ object });
    const params = await chain.storageParams(announcedAt, asked);
    return new ColumnTask(options, object, params);
  }

  /** The header value for one request, signed now. */
  async header(step: TaskStep): Promise<string> {
    const { gvgId, redundancyIndex } = this.#offer;
    const now = Math.floor(Date.now() / 1000);
    const about = {
      object_info: this.#object,
      storage_params: this.#params,
      task: { create_time: now, update_time: now },
      redundancy_idx: redundancyIndex,
    };
    const task: ReceiveTask =
      'finished' in step
        ? { ...about, object_info: { ...this.#object, checksums: step.checksums.map(hexToBase64) } }
        : {
            ...about,
            segment_idx: step.segmentIndex,
            piece_size: step.pieceSize,
            piece_checksum: hexToBase64(step.pieceChecksum),
          };
    const signature = await this.#operatorKey.sign(receiveTaskDigest(task));
    return formatReceiveMessage({
      ...task,
      signature: Buffer.from(signature).toString('base64'),
      global_virtual_group_id: gvgId,
      is_agent_upload_task: this.#delegated,
      finished: 'finished' in step,
    });
  }
}

/** The object with the content of a version: an unsealed update is a separate entry on chain. */
function withContent(onChain: ObjectOnChain, version: number): ObjectInfo | undefined {
  const found = versionOnChain(onChain, version);
  if (found.kind !== 'waiting' && found.kind !== 'sealed') return undefined;
  const { object } = onChain;
  if (object.version === version) return object;
  const { announcedAt: updatedAt, ...content } = found.content;
  return { ...object, ...content, updatedAt };
}

/** Compares the content. The chain has no checksums of a delegated upload. */
function isOffered({ payloadSize, checksums }: ObjectInfo, offer: ColumnOffer): boolean {
  if (payloadSize !== offer.payloadSize) return false;
  return checksums.length === 0 || sameChecksums(checksums, offer.checksums);
}

/** An ObjectInfo in Go's JSON form; zero values make no difference. Source type and tags are not kept here. */
export function wireObject(object: ObjectInfo): WireObject {
  return {
    owner: object.owner,
    creator: object.creator,
    bucket_name: object.bucketName,
    object_name: object.objectName,
    id: object.id,
    local_virtual_group_id: object.localVirtualGroupId,
    payload_size: object.payloadSize,
    visibility: VISIBILITY.indexOf(object.visibility),
    content_type: object.contentType,
    create_at: object.createdAt,
    object_status: OBJECT_STATUS.indexOf(object.status),
    redundancy_type: REDUNDANCY.indexOf(object.redundancy),
    checksums: object.checksums.map(hexToBase64),
    is_updating: object.isUpdating,
    updated_at: object.updatedAt,
    updated_by: object.updatedBy,
    version: object.version,
  };
}

/** The storage parameters in Go's JSON form, as far as they are kept here. */
export function wireParams(params: StorageParams): WireObject {
  return {
    versioned_params: {
      max_segment_size: params.maxSegmentSize,
      redundant_data_chunk_num: params.dataChunks,
      redundant_parity_chunk_num: params.parityChunks,
      min_charge_size: params.minChargeSize,
    },
    max_payload_size: params.maxPayloadSize,
  };
}
