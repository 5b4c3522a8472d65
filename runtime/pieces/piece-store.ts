import type { Hex } from '#protocols/greenfield/types';

export interface StoredPiece {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the bytes: the piece checksum of protocols/integrity/README.md#hashing. */
  readonly checksum: Hex;
}

export interface PieceOptions {
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends PieceOptions {
  /** Largest number of bytes that the reader takes next, asked for each time; as they are stored by default. */
  readonly atMost?: () => number;
  /**
   * Whether the reader, when it asks for more, has no use for what it got before: others may be written there. Asked
   * each time; false by default.
   */
  readonly isDone?: () => boolean;
  /**
   * The bytes are checked by whoever gets them: the whole piece is not compared with its checksum. They are read once:
   * no chunk stays in memory for further readers, and its memory is written again when the next one is asked for.
   */
  readonly unchecked?: true;
}

export interface PutOptions extends PieceOptions {
  /**
   * As far as the caller knows nothing lies under the name: the put does not look first. Where something does, the
   * outcome is the same, and the bytes were written in vain.
   */
  readonly seenAbsent?: boolean;
}

/** Durable store of segments and pieces. Pieces are write-once (ARCHITECTURE.md#the-two-nats-planes). */
export interface PieceStore {
  /**
   * Stores a piece under a new name; the bytes are hashed once, while they are written. If the name exists with the
   * same checksum, nothing is written and the put succeeds.
   * @throws Terminal `piece-exists` when the name holds other bytes (the owner may delete and put again); Retryable
   * `piece-store-unavailable`; Cancelled.
   */
  put(key: string, bytes: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredPiece>;
  /** The piece stored under the name; undefined if there is none. */
  stat(key: string, options?: PieceOptions): Promise<StoredPiece | undefined>;
  /**
   * Reads the bytes. When the whole piece is read, they are checked against the stored checksum.
   * @throws Terminal `piece-missing`; Retryable `piece-corrupt` at the end of a piece whose bytes do not match.
   */
  read(
    key: string,
    options?: ReadOptions & { readonly offset?: number; readonly length?: number },
  ): AsyncIterable<Uint8Array>;
  /** The whole piece in memory, checked. */
  get(key: string, options?: PieceOptions): Promise<Uint8Array>;
  /** Removes a piece, its chunks and its name; removing nothing is success. */
  delete(key: string, options?: PieceOptions): Promise<void>;
  /**
   * Lists the stored pieces in the order of storing, for the caretaker. A piece in the list exists; a piece missing
   * from it may exist too: use `stat` to be sure.
   * @param options.after a position: only pieces stored later
   */
  list(options?: PieceOptions & { readonly after?: number }): AsyncIterable<ListedPiece>;
  /**
   * Purges chunks that no name refers to and that are older than `olderThanMs`; at most `limit` a pass. Before the
   * chunks of a put are purged, the server is asked for exactly the name they were stored for; without a definite
   * answer they are kept.
   */
  sweep(options: SweepOptions): Promise<Swept>;
}

export interface ListedPiece extends StoredPiece {
  /** Increases from piece to piece. */
  readonly position: number;
  /** Unix ms, by the clock of the server. */
  readonly storedAt: number;
}

export interface SweepOptions extends PieceOptions {
  /** By the clock of the server. */
  readonly olderThanMs: number;
  readonly limit: number;
}

/** Numbers of chunks. */
export interface Swept {
  readonly purged: number;
  /** Chunks that are kept although no listed name refers to them, since they do not name their piece. */
  readonly unclaimed: number;
}
