import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, type SealionError, toSealionError } from '#protocols/errors';

/** Bounds of a lane. */
export interface LaneLimits {
  /** Maximum number of letters in one bundle, and of their bytes. */
  readonly letters: number;
  readonly bytes: number;
  /** Maximum number of waiting letters. */
  readonly waiting: number;
  /** A bundle waits for more letters until none has come for so long, ms. */
  readonly gatherMs: number;
  /** How long it waits at most, ms. */
  readonly maxGatherMs: number;
  /** Waits; for tests. */
  readonly pause?: (ms: number) => Promise<unknown>;
}

interface Waiting {
  readonly bytes: number;
  readonly onLost: (error: SealionError) => void;
}

/**
 * The queue of letters to one place. One bundle is in transit at a time. Letters posted within a short
 * time, or while a bundle is in transit, form the next bundle, so that many letters need few messages and signatures.
 */
export class Lane<L> {
  readonly #limits: LaneLimits;
  readonly #deliver: (letters: readonly L[]) => Promise<void>;
  readonly #onIdle: () => void;
  readonly #waiting = new Map<L, Waiting>();
  #running: Promise<void> | undefined;

  /**
   * @param deliver sends a bundle, and resolves when the receiver has it
   * @param onIdle called when no letter waits and no bundle is in transit any more
   */
  constructor(limits: LaneLimits, deliver: (letters: readonly L[]) => Promise<void>, onIdle: () => void) {
    this.#limits = limits;
    this.#deliver = deliver;
    this.#onIdle = onIdle;
  }

  /**
   * Sends a letter with the next bundle; a letter that is already waiting keeps its place.
   * @param bytes of the letter
   * @param onLost called when its bundle may not have arrived
   */
  post(letter: L, bytes: number, onLost: Waiting['onLost']): void {
    if (this.#waiting.has(letter)) return;
    if (bytes > this.#limits.bytes || this.#waiting.size >= this.#limits.waiting) {
      onLost(full());
      return;
    }
    this.#waiting.set(letter, { bytes, onLost });
    this.#running ??= this.#run();
  }

  /** Removes a letter that has not been sent yet. */
  withdraw(letter: L): void {
    this.#waiting.delete(letter);
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await this.#gather();
      const bundle = this.#take();
      if (bundle.size === 0) continue;
      try {
        await this.#deliver([...bundle.keys()]);
      } catch (error) {
        for (const { onLost } of bundle.values()) onLost(toSealionError(error));
      }
    }
    this.#running = undefined;
    this.#onIdle();
  }

  async #gather(): Promise<void> {
    const { letters, gatherMs, maxGatherMs, pause = sleep } = this.#limits;
    const until = performance.now() + maxGatherMs;
    for (let before = 0; this.#waiting.size > before; ) {
      before = this.#waiting.size;
      if (before >= letters || performance.now() >= until) return;
      await pause(gatherMs);
    }
  }

  #take(): Map<L, Waiting> {
    const bundle = new Map<L, Waiting>();
    let bytes = 0;
    for (const [letter, waiting] of this.#waiting) {
      bytes += waiting.bytes;
      if (bytes > this.#limits.bytes || bundle.size === this.#limits.letters) break;
      bundle.set(letter, waiting);
      this.#waiting.delete(letter);
    }
    return bundle;
  }
}

function full(): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: 'More waits to be sent to the other SP than there is room for.',
    advice: 'It is slow or cut off; the job is tried again by itself.',
  });
}
