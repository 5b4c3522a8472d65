import { createHash } from 'node:crypto';
import { throwIfAborted } from '#protocols/errors';
import { type Bucket, corrupt, unavailable } from './bucket.ts';
import { chunkSubject, type ObjectPiece } from './object-layout.ts';
import type { PieceOptions } from './piece-store.ts';

/** Chunks asked for ahead of a reader: what a slow one costs in memory. */
const READ_AHEAD = 3;

/**
 * The bytes from `start` up to `end`, chunk by chunk, each fetched by its stream sequence. A reader that pauses
 * pauses the fetching.
 * @throws Retryable `piece-corrupt`
 */
export async function* readObject(
  bucket: Bucket,
  piece: ObjectPiece,
  range: { readonly start: number; readonly end: number },
  options: PieceOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (range.start >= range.end) return;
  const { chunkSize } = piece;
  if (chunkSize < 1 || piece.chunks.length !== Math.ceil(piece.size / chunkSize)) {
    throw corrupt(piece.key, 'was stored by another program');
  }
  const whole = range.start === 0 && range.end === piece.size;
  const hash = whole ? createHash('sha256') : undefined;
  const last = Math.ceil(range.end / chunkSize);
  const ahead: Promise<Uint8Array>[] = [];
  let next = Math.floor(range.start / chunkSize);
  for (let index = next; index < last; index++) {
    while (next < Math.min(last, index + READ_AHEAD)) {
      const chunk = fetchChunk(bucket, piece, next++);
      // seen when its turn comes; a reader that stops early never asks
      chunk.catch(() => undefined);
      ahead.push(chunk);
    }
    const chunk = await ahead.shift();
    throwIfAborted(options.signal);
    if (!chunk) return;
    hash?.update(chunk);
    const at = index * chunkSize;
    const isLast = index === last - 1;
    if (isLast && hash && hash.digest('hex') !== piece.checksum) {
      throw corrupt(piece.key, 'does not match its checksum');
    }
    yield chunk.subarray(Math.max(0, range.start - at), range.end - at);
  }
}

async function fetchChunk(bucket: Bucket, piece: ObjectPiece, index: number): Promise<Uint8Array> {
  const seq = piece.chunks[index] ?? 0;
  const { direct, streams } = bucket.manager;
  try {
    // A replica that lags does not have it yet; the leader has.
    const message =
      (await direct.getMessage(bucket.stream, { seq })) ?? (await streams.getMessage(bucket.stream, { seq }));
    const expected = Math.min(piece.chunkSize, piece.size - index * piece.chunkSize);
    if (message?.subject !== chunkSubject(bucket.name, piece.nuid) || message.data.length !== expected) {
      throw corrupt(piece.key, `lacks its chunk ${index + 1} of ${piece.chunks.length}`);
    }
    return message.data;
  } catch (error) {
    throw unavailable(error, `reading ${piece.key}`);
  }
}
