import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Terminal } from '#protocols/errors';
import type {
  ObjectInfo,
  ObjectOnChain,
  ObjectStatus,
  Redundancy,
  Visibility,
} from '#protocols/greenfield/types';
import { expectChecksums } from '#protocols/integrity/expect-checksums';
import type { Chain } from '#runtime/chain/chain';
import type { ChainAccount } from './chain-account.ts';
import { sizeOfFile } from './file.ts';
import type { ObjectAddress, SpClient } from './sp-client.ts';
import { counted } from './upload-body.ts';
import { partSize, uploadParts } from './upload-parts.ts';

/** What is read of a file at once. */
const READ_BYTES = 256 * 1024;

/** The events of an upload. */
export type UploadEvent =
  | { readonly event: 'checksums-computed'; readonly size: number; readonly checksums: readonly string[] }
  | { readonly event: 'bucket-created'; readonly bucketId: string }
  | { readonly event: 'object-created'; readonly objectId: string }
  /** The object exists on chain, with the same checksums. */
  | { readonly event: 'object-found'; readonly objectId: string; readonly status: ObjectStatus }
  /** The provider has the bytes before this offset from an earlier try. */
  | { readonly event: 'resumed'; readonly offset: number }
  | { readonly event: 'acknowledged'; readonly durability?: string; readonly ms: number };

/** The target of an upload, and the account that pays. */
export interface UploadTarget extends ObjectAddress {
  readonly chain: Chain;
  readonly account: ChainAccount;
  readonly sp: SpClient;
  /** Operator address and family of the primary, for a bucket that does not exist yet. */
  readonly primary: { readonly operatorAddress: string; readonly gvgFamilyId: number };
  readonly contentType?: string;
  readonly redundancy?: Redundancy;
  /** By default that of its bucket. */
  readonly visibility?: Visibility;
}

export interface UploadHooks {
  readonly signal: AbortSignal;
  readonly onEvent: (event: UploadEvent) => void;
  /** Called with the number of bytes sent so far. */
  readonly onProgress: (done: number, total: number) => void;
  /** Bytes of a large file of which the checksums are computed. */
  readonly onHashed?: (done: number, total: number) => void;
}

/**
 * Does everything that a client has to do for one file: computes the seven checksums, creates the bucket and the object
 * on chain if they do not exist, and uploads the payload; a large one in parts, an interrupted one from where it
 * stopped.
 * @returns the object as it is on chain
 * @throws Terminal `no-file`; `object-exists` when another payload was announced under the name; as the chain and the
 * SP
 */
export async function uploadFile(
  file: string,
  target: UploadTarget,
  hooks: UploadHooks,
): Promise<ObjectInfo> {
  const { chain, bucketName, objectName } = target;
  const { signal } = hooks;
  const size = await sizeOfFile(file);
  const params = await chain.storageParams(undefined, { signal });
  const redundancy = target.redundancy ?? 'EC';
  const partBytes = partSize(params.maxSegmentSize);
  const hashed = size > partBytes ? (done: number) => hooks.onHashed?.(done, size) : undefined;
  const content = counted(createReadStream(file, { highWaterMark: READ_BYTES }), hashed);
  const checksums = await expectChecksums(content, { ...params, redundancy }, { signal });
  hooks.onEvent({ event: 'checksums-computed', size, checksums });

  await ensureBucket(target, hooks);
  const announced = (await chain.object(bucketName, objectName, { signal }))?.object;
  const object =
    announced ?? (await createObject(target, { payloadSize: size, checksums, redundancy }, hooks));
  if (object.checksums.join() !== checksums.join()) throw otherPayload(target);
  if (announced) hooks.onEvent({ event: 'object-found', objectId: announced.id, status: announced.status });
  if (object.status === 'SEALED') return object;

  const started = Date.now();
  const offset = announced ? await target.sp.resumeOffset(target, { signal }) : 0;
  if (offset > 0) hooks.onEvent({ event: 'resumed', offset });
  const payload = { file, size, contentType: object.contentType };
  const durability =
    offset > 0 || size > partBytes
      ? await uploadParts(target.sp, target, { ...payload, offset, partBytes }, hooks)
      : await uploadWhole(target, payload, hooks);
  hooks.onEvent({ event: 'acknowledged', ms: Date.now() - started, ...(durability ? { durability } : {}) });
  return object;
}

function uploadWhole(
  target: UploadTarget,
  { file, size, contentType }: { readonly file: string; readonly size: number; readonly contentType: string },
  { signal, onProgress }: UploadHooks,
): Promise<string | undefined> {
  const body = createReadStream(file, { highWaterMark: READ_BYTES });
  return target.sp.put(
    target,
    { body, size, contentType },
    { signal, onProgress: (done) => onProgress(done, size) },
  );
}

/**
 * Waits until the object is sealed on chain.
 * @throws Terminal `object-gone` when it is rejected or cancelled; Cancelled
 */
export async function waitForSeal(
  chain: Chain,
  objectId: string,
  signal: AbortSignal,
): Promise<ObjectOnChain> {
  for (;;) {
    const found = await chain.objectById(objectId, { signal });
    if (!found) {
      throw new Terminal({
        code: 'object-gone',
        message: `Object ${objectId} is gone from the chain: it was rejected by its provider or cancelled.`,
        advice: 'Create it again.',
      });
    }
    if (found.object.status === 'SEALED' && !found.object.isUpdating) return found;
    await sleep(200, undefined, { signal });
  }
}

async function ensureBucket(target: UploadTarget, { signal, onEvent }: UploadHooks): Promise<void> {
  const { chain, account, bucketName, primary } = target;
  if (await chain.bucket(bucketName, { signal })) return;
  const bucketId = await account.createBucket(
    { bucketName, primarySpAddress: primary.operatorAddress, familyId: primary.gvgFamilyId },
    { signal },
  );
  onEvent({ event: 'bucket-created', bucketId });
}

async function createObject(
  target: UploadTarget,
  payload: {
    readonly payloadSize: number;
    readonly checksums: readonly string[];
    readonly redundancy: Redundancy;
  },
  { signal, onEvent }: UploadHooks,
): Promise<ObjectInfo> {
  const { account, chain, bucketName, objectName, visibility } = target;
  const { contentType = 'application/octet-stream' } = target;
  const objectId = await account.createObject(
    { ...payload, bucketName, objectName, contentType, ...(visibility && { visibility }) },
    { signal },
  );
  onEvent({ event: 'object-created', objectId });
  const created = await chain.objectById(objectId, { signal });
  if (created) return created.object;
  throw new Terminal({
    code: 'object-gone',
    message: `Object ${objectId} is gone right after its creation.`,
  });
}

function otherPayload({ bucketName, objectName }: ObjectAddress): Terminal {
  return new Terminal({
    code: 'object-exists',
    message: `The object ${bucketName}/${objectName} exists on chain with other content.`,
    advice: 'Give the file another object name.',
  });
}
