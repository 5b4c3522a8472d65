import { Retryable } from '#protocols/errors';
import { awaitedContent } from '#protocols/greenfield/content';
import type { StorageParams } from '#protocols/greenfield/types';
import type { JobObject } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { Chain } from '#runtime/chain/chain';
import type { FoundObject } from '../access/permission.ts';
import { checkNotEmpty } from './lengths.ts';

/** A job, and the data of its object that it needs. */
export interface DescribedJob {
  readonly job: JobId;
  readonly object: JobObject;
}

/** A job, and the account that may upload its payload. */
export interface AuthorisedJob extends DescribedJob {
  readonly account: string;
}

/** The job of the content that the chain waits for: an object's first one, or a pending update. */
export function jobOf({ onChain }: Pick<FoundObject, 'onChain'>): JobId {
  const { object, update } = onChain;
  if (object.isUpdating && !update) {
    throw new Retryable({
      code: 'update-not-told',
      message: `Object "${object.objectName}" is being updated on chain, but the chain node does not list the update yet.`,
      advice: 'Try again in a few seconds.',
      gatewayCode: 55001,
    });
  }
  return { objectId: object.id, version: awaitedContent(onChain).version };
}

/**
 * Describes the job of an upload, with the storage parameters at the time when the content was announced
 * (protocols/payload/README.md#segments-and-pieces).
 * @throws Terminal 403/50016 for an empty payload
 */
export async function describeUpload(
  chain: Chain,
  spId: number,
  found: FoundObject,
  signal: AbortSignal,
): Promise<DescribedJob> {
  const { bucket, onChain } = found;
  const { object, update } = onChain;
  const job = jobOf(found);
  const { payloadSize, contentType, checksums, announcedAt } = awaitedContent(onChain);
  checkNotEmpty(payloadSize, 'An empty object needs no upload.');
  const { maxSegmentSize, dataChunks, parityChunks }: StorageParams = await chain.storageParams(announcedAt, {
    signal,
  });
  return {
    job,
    object: {
      bucketName: bucket.bucketName,
      objectName: object.objectName,
      owner: object.owner,
      contentType,
      payloadSize,
      redundancy: object.redundancy,
      checksums,
      maxSegmentSize,
      dataChunks,
      parityChunks,
      familyId: bucket.familyId,
      primarySpId: spId,
      createdAt: announcedAt,
      isUpdate: update !== undefined,
    },
  };
}
