import { throwIfAborted } from '#protocols/errors';
import { giveBackMessage } from '../nats/whole-messages.ts';
import { type Bucket, corrupt, unavailable } from './bucket.ts';
import { ChunkCheck } from './chunk-check.ts';
import type { ChunkLink } from './chunk-link.ts';
import { chunkSubject, type ObjectPiece } from './object-layout.ts';
import type { ReadOptions } from './piece-store.ts';
import type { ChunkPlace, Lent, SharedChunks } from './shared-chunks.ts';

/** Chunks asked for ahead of a reader that takes whole ones. */
const READ_AHEAD = 4;
/** Bytes handed out at a time when there are too many readers for each to hold a chunk of its own. */
const PART = 256 * 1024;
/** Bytes handed out as a copy, to a reader that is slow or when too many chunks are with others. */
const COPY = 64 * 1024;

/** Where chunks come from. */
export interface ChunkSource {
  readonly bucket: Bucket;
  readonly link: ChunkLink;
  readonly chunks: SharedChunks;
}

/**
 * The bytes from `start` up to `end`, each chunk fetched by its stream sequence. When the reader pauses, so does
 * the fetching.
 * @throws Retryable `piece-corrupt`, `piece-store-unavailable`; Cancelled
 */
export async function* readObject(
  source: ChunkSource,
  piece: ObjectPiece,
  range: { readonly start: number; readonly end: number },
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (range.start >= range.end) return;
  const { chunkSize } = piece;
  if (chunkSize < 1 || piece.chunks.length !== Math.ceil(piece.size / chunkSize)) {
    throw corrupt(piece.key, 'was stored by another program');
  }
  const whole = range.start === 0 && range.end === piece.size;
  const check = whole && !options.unchecked ? new ChunkCheck(piece.size) : undefined;
  const reading = new Reading(source, piece, Math.ceil(range.end / chunkSize), options);
  try {
    for (let at = range.start; at < range.end; ) {
      const index = Math.floor(at / chunkSize);
      const begin = index * chunkSize;
      const chunk = await reading.chunk(index);
      throwIfAborted(options.signal);
      if (check && !(await passes(check, piece, index, chunk, at === begin))) {
        reading.forget();
        throw corrupt(piece.key, 'does not match its checksum');
      }
      const rest = chunk.bytes.subarray(at - begin, range.end - begin);
      const bytes = reading.portion(rest);
      at += bytes.length;
      yield bytes;
      if (bytes.length === rest.length) reading.giveBack(options.isDone?.() === true);
    }
  } finally {
    reading.end();
  }
}

/** The last chunk waits until all are hashed, the others only until their turn to be. */
async function passes(
  check: ChunkCheck,
  piece: ObjectPiece,
  index: number,
  chunk: Lent,
  isNew: boolean,
): Promise<boolean> {
  if (!isNew) return check.again(chunk);
  await check.next(chunk);
  return index < piece.chunks.length - 1 || (await check.checksum()) === piece.checksum;
}

/** What one reader holds of a piece: the chunk that it is handed, and those that come next. */
class Reading {
  readonly #source: ChunkSource;
  readonly #piece: ObjectPiece;
  readonly #end: number;
  readonly #options: ReadOptions;
  readonly #leave: () => void;
  readonly #ahead = new Map<number, Promise<Lent>>();
  #current: { readonly index: number; readonly lent: Lent } | undefined;
  #begun = false;
  /** The chunk whose bytes the reader has. */
  #pinned: Lent | undefined;
  /** The reader got bytes of the current chunk themselves, not only copies. */
  #handedOut = false;
  /** The reader has a copy: the chunk itself can go. */
  #spare = false;

  constructor(source: ChunkSource, piece: ObjectPiece, end: number, options: ReadOptions) {
    this.#source = source;
    this.#piece = piece;
    this.#end = end;
    this.#options = options;
    this.#leave = source.chunks.join(() => this.#onShortage());
  }

  async chunk(index: number): Promise<Lent> {
    this.#unpin();
    this.#spare = false;
    if (this.#current?.index === index) return this.#current.lent;
    const { chunks } = this.#source;
    const turn = this.#begun ? 'further' : 'first';
    this.#begun = true;
    const coming = this.#ahead.get(index) ?? chunks.borrow(this.#place(index), turn, this.#options.signal);
    this.#ahead.delete(index);
    if (this.#portionLimit() >= this.#piece.chunkSize) this.#lookAhead(index + 1);
    const lent = await coming;
    this.#current = { index, lent };
    return lent;
  }

  /** What is handed out of the rest of the current chunk: its bytes themselves, or a copy. */
  portion(rest: Uint8Array): Uint8Array {
    const limit = this.#portionLimit();
    const lent = this.#current?.lent;
    if (lent && limit > COPY && this.#source.chunks.pin(lent)) {
      this.#pinned = lent;
      this.#handedOut = true;
      return rest.subarray(0, limit);
    }
    this.#spare = true;
    return rest.slice(0, Math.min(limit, COPY));
  }

  /** @param isDone whether the reader has no use for what it was handed any more */
  giveBack(isDone: boolean): void {
    this.#unpin();
    const { unchecked } = this.#options;
    const after = unchecked ? 'read once' : isDone || !this.#handedOut ? 'read' : 'in use';
    if (this.#current) this.#source.chunks.giveBack(this.#current.lent, after);
    this.#handedOut = false;
    this.#current = undefined;
  }

  /** The bytes are wrong: nobody else shall get them. */
  forget(): void {
    if (this.#current) this.#source.chunks.forget(this.#current.lent);
  }

  end(): void {
    this.#leave();
    this.giveBack(false);
    this.#dropAhead();
  }

  #unpin(): void {
    if (this.#pinned) this.#source.chunks.unpin(this.#pinned);
    this.#pinned = undefined;
  }

  #portionLimit(): number {
    const { sharePerReader } = this.#source.chunks;
    const limit = this.#options.atMost?.() ?? Number.POSITIVE_INFINITY;
    return sharePerReader >= this.#piece.chunkSize ? limit : Math.min(limit, PART);
  }

  #lookAhead(from: number): void {
    for (let index = from; index < Math.min(this.#end, from + READ_AHEAD); index++) {
      if (this.#ahead.has(index)) continue;
      const coming = this.#source.chunks.borrowAhead(this.#place(index), this.#options.signal);
      if (!coming) return;
      // reported when its turn comes; a reader that stops early never gets there
      coming.catch(() => undefined);
      this.#ahead.set(index, coming);
    }
  }

  #onShortage(): void {
    this.#dropAhead();
    if (this.#spare) this.giveBack(this.#options.isDone?.() === true);
  }

  #dropAhead(): void {
    for (const coming of this.#ahead.values()) {
      coming.then(
        (lent) => this.#source.chunks.giveBack(lent, 'read'),
        () => undefined,
      );
    }
    this.#ahead.clear();
  }

  #place(index: number): ChunkPlace {
    const { piece, source } = { piece: this.#piece, source: this.#source };
    return {
      seq: piece.chunks[index] ?? 0,
      length: Math.min(piece.chunkSize, piece.size - index * piece.chunkSize),
      load: () => fetchChunk(source, piece, index),
      reuse: giveBackMessage,
    };
  }
}

async function fetchChunk(
  { bucket, link }: ChunkSource,
  piece: ObjectPiece,
  index: number,
): Promise<Uint8Array> {
  const seq = piece.chunks[index] ?? 0;
  try {
    const message = await link.get(seq);
    // A replica that lags does not have it yet; the leader has.
    const stored = message
      ? { subject: message.headers?.get('Nats-Subject'), data: message.data }
      : await bucket.manager.streams.getMessage(bucket.stream, { seq });
    const expected = Math.min(piece.chunkSize, piece.size - index * piece.chunkSize);
    if (stored?.subject !== chunkSubject(bucket.name, piece.nuid) || stored.data.length !== expected) {
      throw corrupt(piece.key, `lacks its chunk ${index + 1} of ${piece.chunks.length}`);
    }
    return stored.data;
  } catch (error) {
    throw unavailable(error, `reading ${piece.key}`);
  }
}
