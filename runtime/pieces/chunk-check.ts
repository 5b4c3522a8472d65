import { createHash, type Hash } from 'node:crypto';
import { HashThread } from './hash-thread.ts';
import type { Hashed, Lent } from './shared-chunks.ts';

/** Up to this size a piece is hashed in less time than another thread takes to answer; bytes. */
const SMALL_PIECE = 128 * 1024;

/** What hashes. A state is known by its identity, and is never changed. */
interface Hasher {
  readonly nothing: object;
  update(from: object, bytes: Uint8Array): Hashed;
  /** In hex. */
  digest(state: object): Promise<string>;
}

const TAKEN = Promise.resolve();
const here: Hasher = {
  nothing: createHash('sha256'),
  update: (from, bytes) => ({ state: (from as Hash).copy().update(bytes), taken: TAKEN }),
  digest: async (state) => (state as Hash).copy().digest('hex'),
};
/** One for the whole process. */
const thread: Hasher = new HashThread();

/**
 * The checksum of a piece that is read from its begin, chunk by chunk. Many may read the same chunks: who comes first
 * hashes each, and the others take the result, as far as it follows from the same state before.
 */
export class ChunkCheck {
  readonly #hasher: Hasher;
  #before: object;
  #after: object;
  #chunk: Lent | undefined;

  /** @param size of the piece, bytes */
  constructor(size: number) {
    this.#hasher = size > SMALL_PIECE ? thread : here;
    this.#before = this.#hasher.nothing;
    this.#after = this.#before;
  }

  /** The next chunk, of which all bytes will be handed out. Its hash may still be computed when this resolves. */
  async next(chunk: Lent): Promise<void> {
    this.#before = this.#after;
    this.#chunk = chunk;
    const hashing = this.#hashed(chunk);
    this.#after = hashing.state;
    await hashing.taken;
  }

  /** The same chunk again, perhaps read anew. @returns whether it has the same bytes */
  async again(chunk: Lent): Promise<boolean> {
    if (chunk === this.#chunk) return true;
    this.#chunk = chunk;
    const { state } = this.#hashed(chunk);
    return (await this.#hasher.digest(state)) === (await this.#hasher.digest(this.#after));
  }

  /** SHA-256 of the chunks up to now, hex. */
  checksum(): Promise<string> {
    return this.#hasher.digest(this.#after);
  }

  #hashed(chunk: Lent): Hashed {
    const known = chunk.hashed.get(this.#before);
    if (known) return known;
    const hashed = this.#hasher.update(this.#before, chunk.bytes);
    chunk.hashed.set(this.#before, hashed);
    return hashed;
  }
}
