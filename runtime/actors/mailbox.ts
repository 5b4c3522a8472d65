import type { PendingAsk } from './ask.ts';

/** One entry of a mailbox. */
export interface Envelope<M> {
  /** Makes the message; what it throws fails the actor like a throwing handler. */
  open(): M;
  /** Present when the message is a question. */
  readonly ask?: PendingAsk | undefined;
  /** The incarnation that ordered the message for itself (a timer, piped work, a watch); it ends with it. */
  readonly orderedBy?: object;
}

/** The waiting messages of one actor, first in, first out. */
export class Mailbox<M> {
  readonly #limit: number;
  #waiting: Envelope<M>[] = [];
  #letters = 0;
  #wake: (() => void) | undefined;

  /** @param limit how many messages from others may wait. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many messages wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /**
   * Adds a message. Those that an incarnation ordered for itself are accepted beyond the limit: there is one for each
   * operation that it started, and without it the incarnation would wait for ever.
   * @returns false when the mailbox is full.
   */
  put(envelope: Envelope<M>): boolean {
    if (!envelope.orderedBy) {
      if (this.#letters >= this.#limit) return false;
      this.#letters += 1;
    }
    this.#waiting.push(envelope);
    this.wake();
    return true;
  }

  /** Resolves when a message waits, or after `wake`. */
  async ready(): Promise<void> {
    if (this.#waiting.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Removes and returns the next message. */
  next(): Envelope<M> | undefined {
    const envelope = this.#waiting.shift();
    if (envelope && !envelope.orderedBy) this.#letters -= 1;
    return envelope;
  }

  /** Resolves a waiting `ready`. */
  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Drops what an ended incarnation had ordered. */
  forget(orderedBy: object): void {
    this.#waiting = this.#waiting.filter((envelope) => envelope.orderedBy !== orderedBy);
  }

  /** Removes and returns all messages. */
  empty(): readonly Envelope<M>[] {
    const all = this.#waiting;
    this.#waiting = [];
    this.#letters = 0;
    return all;
  }
}
