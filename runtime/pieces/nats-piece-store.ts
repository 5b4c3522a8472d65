import { createHash } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ObjectInfo } from '@nats-io/obj';
import { Retryable, SealionError, Terminal, throwIfAborted } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { Gathered } from '../async/gathered.ts';
import { linkOf } from '../nats/link.ts';
import { askOverReconnects } from '../nats/reconnects.ts';
import { noSizes, type Sizes } from '../telemetry/sizes.ts';
import {
  type Bucket,
  type BucketOptions,
  corrupt,
  deleteMessage,
  openBucket,
  purgeChunks,
  unavailable,
} from './bucket.ts';
import { ChunkLink } from './chunk-link.ts';
import { allMetas, type ObjectPiece, pieceFromInfo, readMeta } from './object-layout.ts';
import type {
  ListedPiece,
  PieceOptions,
  PieceStore,
  PutOptions,
  ReadOptions,
  StoredPiece,
  SweepOptions,
  Swept,
} from './piece-store.ts';
import { type ChunkSource, readObject } from './read-object.ts';
import { SharedChunks } from './shared-chunks.ts';
import { sweepOrphans } from './sweep.ts';
import { walk } from './walk.ts';
import { writeObject } from './write-object.ts';

/** Characters; a name becomes a token of a NATS subject. */
const KEY_LIMIT = 256;

/** Chunks on their way from the server at once, bytes; a few of them keep a link busy. */
const READ_WINDOW = 16 * 2 ** 20;
const READ_MEMORY = 32 * 2 ** 20;

export interface PieceStoreOptions extends BucketOptions {
  /** Over which chunks are read, so that nothing else waits behind them; by default the connection for everything. */
  readonly readConnection?: NatsConnection;
  /** Bytes of chunks that all readers together hold; 32 MiB by default. */
  readonly readMemory?: number;
  /** Shown what readers hold, and the memory that is kept for the next. */
  readonly sizes?: Sizes;
}

/**
 * A PieceStore in a NATS object store, created if it does not exist (ARCHITECTURE.md#the-two-nats-planes). The
 * connections stay the caller's.
 */
export async function openNatsPieceStore(options: PieceStoreOptions): Promise<PieceStore> {
  const {
    connection,
    readConnection = connection,
    readMemory: memory = READ_MEMORY,
    sizes = noSizes,
  } = options;
  const bucket = await openBucket(options);
  const link = new ChunkLink(readConnection, bucket.stream, bucket.requestLimitMs);
  const chunks = new SharedChunks({ window: Math.min(READ_WINDOW, memory), memory });
  sizes.watchBound({ what: 'read_chunks', unit: 'bytes', limit: () => memory, used: () => chunks.held });
  bucket.chunkMemory.watch(sizes, 'chunk_memory');
  return new NatsPieceStore(bucket, { bucket, link, chunks });
}

class NatsPieceStore implements PieceStore {
  readonly #bucket: Bucket;
  readonly #source: ChunkSource;
  readonly #infos = new Gathered<ObjectInfo | null>();

  constructor(bucket: Bucket, source: ChunkSource) {
    this.#bucket = bucket;
    this.#source = source;
  }

  async put(
    key: string,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions = {},
  ): Promise<StoredPiece> {
    const { connection } = this.#bucket;
    const link = linkOf(connection);
    try {
      return await this.#put(key, bytes, options);
    } catch (error) {
      const isCutOff = error instanceof Retryable && linkOf(connection) !== link;
      if (!isCutOff || !(bytes instanceof Uint8Array)) throw error;
      // The whole put is repeated, since its meta might come too late over another connection.
      return await this.#put(key, bytes, { ...options, seenAbsent: false });
    }
  }

  async #put(
    key: string,
    bytes: Uint8Array | AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredPiece> {
    throwIfAborted(options.signal);
    checkKey(key);
    const standing = options.seenAbsent ? undefined : await this.#find(key);
    if (standing) return await this.#same(standing, await checksumOf(bytes, options), options);
    const written = await writeObject(this.#bucket, key, bytes, options);
    if (written.outcome === 'stored') return stored(written.piece);
    const winner = await this.#find(key);
    if (winner) return await this.#same(winner, written.checksum, options);
    throw new Retryable({
      code: 'piece-store-unavailable',
      message: `${key} was deleted while it was stored.`,
    });
  }

  async stat(key: string, options: PieceOptions = {}): Promise<StoredPiece | undefined> {
    throwIfAborted(options.signal);
    const piece = await this.#find(key);
    return piece && stored(piece);
  }

  async *read(
    key: string,
    options: ReadOptions & { readonly offset?: number; readonly length?: number } = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    throwIfAborted(options.signal);
    const piece = await this.#find(key);
    if (!piece) throw missing(key);
    yield* this.#readObject(piece, rangeOf(piece, options), options);
  }

  async get(key: string, options: PieceOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal);
    const piece = await this.#find(key);
    if (!piece) throw missing(key);
    const bytes = new Uint8Array(piece.size);
    let filled = 0;
    for await (const chunk of this.#readObject(piece, { start: 0, end: piece.size }, options)) {
      bytes.set(chunk, filled);
      filled += chunk.length;
    }
    return bytes;
  }

  async delete(key: string, options: PieceOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    const piece = await this.#find(key);
    if (piece) await this.#remove(piece);
  }

  async *list(
    options: PieceOptions & { readonly after?: number } = {},
  ): AsyncGenerator<ListedPiece, void, undefined> {
    const { after = 0, ...rest } = options;
    for await (const message of walk(this.#bucket, allMetas(this.#bucket.name), {
      ...rest,
      from: after + 1,
    })) {
      const info = readMeta(message.data);
      if (!info || info.deleted) continue;
      const piece = pieceFromInfo({ ...info, revision: message.seq });
      yield { ...stored(piece), position: message.seq, storedAt: message.time };
    }
  }

  async sweep(options: SweepOptions): Promise<Swept> {
    return await this.#guard('sweeping orphans', () => sweepOrphans(this.#bucket, options));
  }

  /**
   * The object stored under a name. A tombstone left by another program is removed, otherwise the name could never
   * be used again.
   */
  async #find(key: string): Promise<ObjectPiece | undefined> {
    checkKey(key);
    const { connection, objects } = this.#bucket;
    const look = () => askOverReconnects(connection, () => objects.info(key));
    const info = await this.#guard(`looking up ${key}`, () => this.#infos.get(key, look));
    if (!info) return undefined;
    const piece = pieceFromInfo(info);
    if (!info.deleted) return piece;
    await this.#remove(piece);
    return undefined;
  }

  /**
   * Decides a put under an existing name. The stored bytes are read, since a damaged piece must not count as
   * success.
   */
  async #same(standing: ObjectPiece, checksum: Hex, options: PieceOptions): Promise<StoredPiece> {
    const { key } = standing;
    if (standing.checksum !== checksum) {
      throw new Terminal({
        code: 'piece-exists',
        message: `${key} is stored with the checksum ${standing.checksum}, not ${checksum}.`,
        advice: 'The owner of the object may delete the piece and store it again.',
      });
    }
    try {
      for await (const _ of this.#readObject(standing, { start: 0, end: standing.size }, options));
      return stored(standing);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      await this.#remove(standing);
      throw corrupt(key, 'was damaged and has been removed');
    }
  }

  async *#readObject(
    piece: ObjectPiece,
    range: { readonly start: number; readonly end: number },
    options: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* readObject(this.#source, piece, range, options);
    } catch (error) {
      if (isCorrupt(error) && (await this.#find(piece.key))?.revision !== piece.revision)
        throw missing(piece.key);
      throw error;
    }
  }

  /**
   * Removes this put of a name and no later one. The meta goes first: a name without bytes would look like a piece,
   * bytes without a name are only an orphan.
   */
  async #remove(piece: ObjectPiece): Promise<void> {
    await this.#guard(`deleting ${piece.key}`, async () => {
      await deleteMessage(this.#bucket, piece.revision);
      await purgeChunks(this.#bucket, piece.nuid);
    });
  }

  async #guard<R>(doing: string, work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (error) {
      throw unavailable(error, doing);
    }
  }
}

function stored({ key, size, checksum }: ObjectPiece): StoredPiece {
  return { key, size, checksum };
}

async function checksumOf(
  bytes: Uint8Array | AsyncIterable<Uint8Array>,
  options: PieceOptions,
): Promise<Hex> {
  const hash = createHash('sha256');
  for await (const frame of bytes instanceof Uint8Array ? [bytes] : bytes) {
    throwIfAborted(options.signal);
    hash.update(frame);
  }
  return hash.digest('hex');
}

/** The requested range of a piece, cut at its end. @throws Terminal `bad-range` */
function rangeOf(
  piece: ObjectPiece,
  { offset = 0, length = piece.size }: { readonly offset?: number; readonly length?: number },
): { start: number; end: number } {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
    throw new Terminal({
      code: 'bad-range',
      message: `${length} bytes from byte ${offset} are not a valid range of ${piece.key}.`,
      advice: 'Give whole numbers from 0.',
    });
  }
  return { start: offset, end: Math.min(piece.size, offset + length) };
}

function checkKey(key: string): void {
  if (key.length > 0 && key.length <= KEY_LIMIT) return;
  throw new Terminal({ code: 'bad-piece-key', message: `A piece key has 1 to ${KEY_LIMIT} characters.` });
}

function missing(key: string): Terminal {
  return new Terminal({
    code: 'piece-missing',
    message: `There is no piece ${key}.`,
    advice: 'It was never stored, or was deleted by its owner.',
  });
}

function isCorrupt(error: unknown): boolean {
  return error instanceof SealionError && error.code === 'piece-corrupt';
}
