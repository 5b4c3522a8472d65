import { Worker } from 'node:worker_threads';
import { Retryable } from '#protocols/errors';

/** Chunks that the thread has before it; a second one is copied while the first is hashed. */
const SLOTS = 3;
/** Room of a slot, bytes: a chunk. Longer bytes are hashed in several steps. */
const SLOT_BYTES = 2 ** 20;

/** What has been hashed so far: an opaque name, which the thread forgets when nobody has it any more. */
export interface HashState {
  readonly id: number;
}

/** The next bytes on their way to the thread. */
export interface Hashing {
  readonly state: HashState;
  /** Resolves when the bytes are copied: they are needed no longer. */
  readonly taken: Promise<void>;
}

export type ToThread =
  | {
      readonly type: 'update';
      readonly from: number;
      readonly to: number;
      readonly begin: number;
      readonly end: number;
    }
  | { readonly type: 'digest'; readonly state: number }
  | { readonly type: 'forget'; readonly state: number };

export type FromThread =
  | { readonly type: 'updated' }
  /** Without `hex` when it does not know the state. */
  | { readonly type: 'digest'; readonly hex?: string };

interface Update {
  readonly type: 'update';
  readonly from: HashState;
  readonly to: HashState;
  readonly bytes: Uint8Array;
  readonly taken: () => void;
}

interface Digest {
  readonly type: 'digest';
  readonly state: HashState;
  readonly resolve: (hex: string) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * SHA-256 in a thread of its own: hashing takes the event loop more time than everything else that is done with a byte
 * that is read. The thread starts when it is first needed, and does not keep the process.
 */
export class HashThread {
  /** The state before the first byte. */
  readonly nothing: HashState = { id: 0 };
  readonly #waiting: (Update | Digest)[] = [];
  /** Digests that the thread was asked for, in its order. */
  readonly #asked: Digest[] = [];
  readonly #forgotten = new FinalizationRegistry<number>((state) => this.#post({ type: 'forget', state }));
  readonly #memory = new SharedArrayBuffer(SLOTS * SLOT_BYTES);
  #worker: Worker | undefined;
  #lastId = 0;
  /** Updates that the thread has before it, and the slot of the next one. */
  #used = 0;
  #slot = 0;

  /** Hashes further bytes. */
  update(from: HashState, bytes: Uint8Array): Hashing {
    let [state, taken] = [from, Promise.resolve()];
    for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
      const [before, to] = [state, this.#newState()];
      const part = bytes.subarray(at, at + SLOT_BYTES);
      taken = new Promise((resolve) => {
        this.#waiting.push({ type: 'update', from: before, to, bytes: part, taken: resolve });
      });
      state = to;
    }
    this.#proceed();
    return { state, taken };
  }

  /** In hex. @throws Retryable `hash-thread-failed` */
  digest(state: HashState): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ type: 'digest', state, resolve, reject });
      this.#proceed();
    });
  }

  /** Passes on what waits, in its order, as far as there are slots. */
  #proceed(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (next.type === 'update' && this.#used === SLOTS) break;
      this.#waiting.shift();
      if (next.type === 'update') this.#pass(next);
      else {
        this.#asked.push(next);
        this.#start();
        this.#post({ type: 'digest', state: next.state.id });
      }
    }
    // Whoever waits for it keeps the process.
    if (this.#used + this.#asked.length > 0) this.#worker?.ref();
    else this.#worker?.unref();
  }

  #pass({ from, to, bytes, taken }: Update): void {
    const begin = this.#slot * SLOT_BYTES;
    new Uint8Array(this.#memory, begin, bytes.length).set(bytes);
    this.#slot = (this.#slot + 1) % SLOTS;
    this.#used += 1;
    this.#start();
    this.#post({ type: 'update', from: from.id, to: to.id, begin, end: begin + bytes.length });
    taken();
  }

  #newState(): HashState {
    this.#lastId += 1;
    const state = { id: this.#lastId };
    this.#forgotten.register(state, state.id);
    return state;
  }

  #post(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    if (this.#worker) return;
    const program = new URL('./hash-thread.worker.js', import.meta.url);
    const worker = new Worker(program, { workerData: this.#memory, execArgv: [] });
    worker.on('message', (message: FromThread) => this.#hear(message));
    worker.on('error', (error) => this.#fail(worker, error));
    worker.on('exit', () => this.#fail(worker));
    this.#worker = worker;
  }

  #hear(message: FromThread): void {
    if (message.type === 'updated') this.#used -= 1;
    else {
      const asked = this.#asked.shift();
      if (message.hex !== undefined) asked?.resolve(message.hex);
      else asked?.reject(failed());
    }
    this.#proceed();
  }

  /** What it knew is lost; another one is started for what comes. */
  #fail(worker: Worker, cause?: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#used = 0;
    for (const { reject } of this.#asked.splice(0)) reject(failed(cause));
    this.#proceed();
  }
}

function failed(cause?: unknown): Retryable {
  return new Retryable({
    code: 'hash-thread-failed',
    message: 'The thread that checks what is read has ended.',
    ...(cause !== undefined && { cause }),
  });
}
