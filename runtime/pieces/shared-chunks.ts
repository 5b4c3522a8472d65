import { type Deferred, deferred } from '@nats-io/nats-core';
import { orAborted } from '../async/or-aborted.ts';

/** A chunk is given to further readers for so long after it has come, ms; then it is read from the store again. */
const SHARED_MS = 2_000;

/** What a chunk is, and how it is read. */
export interface ChunkPlace {
  /** Of the stream. */
  readonly seq: number;
  /** Bytes. */
  readonly length: number;
  load(): Promise<Uint8Array>;
  /** Takes the memory of a chunk back that nobody has a use for any more. */
  reuse?(bytes: Uint8Array): void;
}

export interface SharedChunksOptions {
  /** Bytes on their way at once. nats-server ends a connection with more than 64 MiB waiting for it. */
  readonly window: number;
  /** Bytes on their way or in memory at once. */
  readonly memory: number;
}

/** A hash of some bytes and all before them. */
export interface Hashed {
  readonly state: object;
  /** Resolves when the bytes are needed no longer. */
  readonly taken: Promise<void>;
}

/**
 * How a chunk is given back. `in use`: its bytes may still be read. `read`: they will not be, and others may be written
 * there once it goes. `read once`: nor is anybody else expected to want it soon, so that it goes at once.
 */
export type GivenBack = 'in use' | 'read' | 'read once';

/** A chunk on loan; many may have it at once. */
export interface Lent {
  readonly bytes: Uint8Array;
  /**
   * Hashes of the piece up to here, by the state that they followed from, so that each chunk is hashed once for all.
   * Readers come from different ones after a chunk before was read again.
   */
  readonly hashed: WeakMap<object, Hashed>;
}

interface Entry extends Lent {
  readonly place: ChunkPlace;
  bytes: Uint8Array;
  readonly come: Deferred<void>;
  holders: number;
  /** Those of them with clients that cannot be made to let go of it. */
  pins: number;
  /** Whether somebody may still read it who has given it back. */
  isInUse: boolean;
  state: 'waits' | 'comes' | 'here';
  expiry?: NodeJS.Timeout;
}

const NOTHING = new Uint8Array();

/**
 * Chunks of pieces on their way to readers: one window of bytes for a connection, one bound for all that is held, and
 * each chunk read once for all who want it at about the same time. The first chunk of a reader and the further ones of
 * others take turns, so that a reader who comes now waits neither for the many nor for the long. Who holds what it can
 * do without gives it back when others wait (`join`).
 */
export class SharedChunks {
  readonly #options: SharedChunksOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #first: Entry[] = [];
  readonly #further: Entry[] = [];
  readonly #readers = new Set<() => void>();
  #turn = false;
  #coming = 0;
  #held = 0;
  #pinned = 0;
  #starting = false;

  constructor(options: SharedChunksOptions) {
    this.#options = options;
  }

  /** Bytes on their way or in memory. */
  get held(): number {
    return this.#held;
  }

  /** Bytes for each reader if all of them together leave half of the memory free. */
  get sharePerReader(): number {
    return this.#options.memory / 2 / Math.max(1, this.#readers.size);
  }

  /** @param onShortage called whenever somebody waits for memory. @returns a function with which the reader ends */
  join(onShortage: () => void): () => void {
    this.#readers.add(onShortage);
    return () => this.#readers.delete(onShortage);
  }

  /**
   * Waits for its turn, and for the chunk.
   * @param turn `first` for the first chunk of a reader
   * @throws Cancelled; what `load` throws
   */
  async borrow(place: ChunkPlace, turn: 'first' | 'further', signal?: AbortSignal): Promise<Lent> {
    const entry = this.#entries.get(place.seq) ?? this.#add(place);
    if (entry.state === 'waits' && entry.holders === 0) {
      (turn === 'first' ? this.#first : this.#further).push(entry);
    }
    entry.holders += 1;
    this.#start();
    return this.#wait(entry, signal);
  }

  /** The chunk if it is there, comes already, or can come at once; undefined when others would have to wait for it. */
  borrowAhead(place: ChunkPlace, signal?: AbortSignal): Promise<Lent> | undefined {
    const known = this.#entries.get(place.seq);
    if (!known && (this.#first.length + this.#further.length > 0 || !this.#fits(place))) return undefined;
    return this.borrow(place, 'further', signal);
  }

  /**
   * Promises that a chunk on loan stays until `unpin`, since a client has its bytes: one that stalls cannot be made to let
   * go of them. False when too much is with clients, so that this one gets a copy of a part: all that they have leaves half
   * of the memory free.
   */
  pin(lent: Lent): boolean {
    const entry = lent as Entry;
    if (entry.pins === 0) {
      if (this.#pinned + entry.place.length > this.#options.memory / 2) return false;
      this.#pinned += entry.place.length;
    }
    entry.pins += 1;
    return true;
  }

  /** The client of one `pin` has taken the bytes. */
  unpin(lent: Lent): void {
    const entry = lent as Entry;
    entry.pins -= 1;
    if (entry.pins === 0) this.#pinned -= entry.place.length;
  }

  giveBack(lent: Lent, after: GivenBack = 'in use'): void {
    const entry = lent as Entry;
    entry.holders -= 1;
    entry.isInUse ||= after === 'in use';
    if (entry.holders > 0) return;
    if (entry.state === 'waits') this.#drop(entry);
    else if (entry.state === 'here' && (after === 'read once' || entry.expiry === undefined || this.#isShort))
      this.#free(entry);
    this.#start();
  }

  /** The next to want this chunk reads it from the store. */
  forget(lent: Lent): void {
    const entry = lent as Entry;
    if (this.#entries.get(entry.place.seq) === entry) this.#entries.delete(entry.place.seq);
    clearTimeout(entry.expiry);
    delete entry.expiry;
  }

  get #isShort(): boolean {
    return this.#first.length + this.#further.length > 0;
  }

  async #wait(entry: Entry, signal: AbortSignal | undefined): Promise<Lent> {
    try {
      await (signal ? orAborted(entry.come, signal) : entry.come);
      return entry;
    } catch (error) {
      this.giveBack(entry);
      throw error;
    }
  }

  #add(place: ChunkPlace): Entry {
    const entry: Entry = {
      place,
      bytes: NOTHING,
      hashed: new WeakMap(),
      come: deferred<void>(),
      holders: 0,
      pins: 0,
      isInUse: false,
      state: 'waits',
    };
    // whoever waits for it gets the failure; it is fine if nobody does any more
    entry.come.catch(() => undefined);
    this.#entries.set(place.seq, entry);
    return entry;
  }

  #fits({ length }: ChunkPlace): boolean {
    const { window, memory } = this.#options;
    return (
      (this.#coming === 0 || this.#coming + length <= window) &&
      (this.#held === 0 || this.#held + length <= memory)
    );
  }

  /** Lets those come that have waited longest, as far as there is room. */
  #start(): void {
    if (this.#starting) return;
    this.#starting = true;
    try {
      for (let line = this.#nextLine(); line; line = this.#nextLine()) {
        const entry = line[0] as Entry;
        if (!this.#makeRoom(entry.place)) return;
        line.shift();
        this.#turn = line === this.#first;
        void this.#load(entry);
      }
    } finally {
      this.#starting = false;
    }
  }

  #nextLine(): Entry[] | undefined {
    const lines = this.#turn ? [this.#further, this.#first] : [this.#first, this.#further];
    return lines.find((line) => line.length > 0);
  }

  #makeRoom(place: ChunkPlace): boolean {
    if (this.#fits(place)) return true;
    for (const entry of this.#entries.values()) {
      if (entry.state === 'here' && entry.holders === 0) this.#free(entry);
      if (this.#fits(place)) return true;
    }
    if (this.#held + place.length > this.#options.memory) {
      for (const onShortage of this.#readers) {
        onShortage();
        if (this.#fits(place)) return true;
      }
    }
    return this.#fits(place);
  }

  async #load(entry: Entry): Promise<void> {
    const { place } = entry;
    entry.state = 'comes';
    this.#coming += place.length;
    this.#held += place.length;
    try {
      entry.bytes = await place.load();
      entry.state = 'here';
      entry.expiry = setTimeout(() => this.#expire(entry), SHARED_MS);
      entry.expiry.unref();
      entry.come.resolve();
    } catch (error) {
      this.#entries.delete(place.seq);
      this.#held -= place.length;
      entry.come.reject(error);
    } finally {
      this.#coming -= place.length;
      this.#start();
    }
  }

  #expire(entry: Entry): void {
    this.forget(entry);
    if (entry.holders === 0) this.#free(entry);
    this.#start();
  }

  #free(entry: Entry): void {
    this.forget(entry);
    this.#held -= entry.place.length;
    if (!entry.isInUse) entry.place.reuse?.(entry.bytes);
    entry.bytes = NOTHING;
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.place.seq);
    for (const line of [this.#first, this.#further]) {
      const at = line.indexOf(entry);
      if (at >= 0) line.splice(at, 1);
    }
  }
}
