import { createCipheriv, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Visibility } from '#protocols/greenfield/types';
import { expectChecksums } from '#protocols/integrity/expect-checksums';
import type { BenchNetwork } from './network.ts';

/** An object that is on chain and waits for its payload. */
export interface BenchObject {
  readonly objectId: string;
  readonly bucketName: string;
  readonly objectName: string;
  readonly size: number;
  /** The payload, from its beginning on each call. */
  bytes(): Iterable<Uint8Array>;
}

const BLOCK = 256 * 1024;

/** Announces objects with random content, before the measurement begins. @param visibility by default private */
export async function announce(
  network: BenchNetwork,
  {
    count,
    size,
    visibility,
  }: { readonly count: number; readonly size: number; readonly visibility?: Visibility },
  signal: AbortSignal,
): Promise<readonly BenchObject[]> {
  const { session, bucketName } = network;
  const params = await session.chain.storageParams(undefined, { signal });
  const prefix = randomBytes(4).toString('hex');
  const drafts = [];
  for (let i = 0; i < count; i += 1) {
    const payload = pseudoRandom(size);
    const checksums = await expectChecksums(inTurns(payload()), { ...params, redundancy: 'EC' }, { signal });
    drafts.push({
      bucketName,
      objectName: `${prefix}-${i}`,
      payloadSize: size,
      checksums,
      payload,
      ...(visibility && { visibility }),
    });
  }
  const ids = await session.account.createObjects(drafts, { signal });
  return drafts.map(({ objectName, payload }, i) => ({
    objectId: ids[i] ?? '',
    bucketName,
    objectName,
    size,
    bytes: payload,
  }));
}

/** Uploads an object without retries. @throws as `SpClient` */
export async function put(network: BenchNetwork, object: BenchObject, signal: AbortSignal): Promise<void> {
  const body = Readable.from(object.bytes());
  await network.client.put(object, { body, size: object.size, contentType: CONTENT_TYPE }, { signal });
}

const CONTENT_TYPE = 'application/octet-stream';

/** Yields to other work of the process between chunks, since connections that it neglects for seconds are closed. */
async function* inTurns(bytes: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const block of bytes) {
    yield block;
    await immediate();
  }
}

/** Pseudo-random bytes, different for each payload. Small payloads stay in memory, large ones are generated again. */
function pseudoRandom(size: number): () => Iterable<Uint8Array> {
  const key = randomBytes(16);
  if (size > BLOCK) return () => keystream(key, size);
  const payload = Buffer.concat([...keystream(key, size)]);
  return () => [payload];
}

function* keystream(key: Buffer, size: number): Generator<Uint8Array> {
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(BLOCK);
  for (let left = size; left > 0; left -= BLOCK)
    yield cipher.update(zeros.subarray(0, Math.min(BLOCK, left)));
}
