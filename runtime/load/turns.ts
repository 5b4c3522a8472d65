import { FairLines } from './fair-lines.ts';

/** Turns after the last newcomer in which more of them are expected: few of those that connect send at once. */
const EXPECTANT_TURNS = 16;
/** Of the turns in which newcomers are expected, one in so many lets a step through. */
const REST_TURNS = 8;
/** Beside uploads, the room of a turn is that of others divided by this. */
const UPLOAD_DIVISOR = 2;
/** Beside uploads, the least time from one turn to the next, ms. */
const UPLOAD_INTERVAL_MS = 1;

/** The beginning of an upload or of another request, the first portion of an answer, or a further one. */
export type Step = 'upload' | 'request' | 'first' | 'further';

export interface TurnsOptions {
  /** The sum of the costs of the steps of one turn. One step is let through even if it costs more. */
  readonly costPerTurn: number;
  /** For tests. */
  readonly expectantTurns?: number;
  /** For tests. */
  readonly restTurns?: number;
}

/**
 * Lets a few of many steps through in each turn of the event loop. What is ready at once is otherwise all done in one
 * turn, however long that takes; and since the loop accepts one connection in a turn, a client that connects behind
 * 500 others would wait for 500 long ones. While clients come, most turns let nothing through, so that they are all
 * here soon; then those of one line (`take`) take turns with those of others. Kinds of steps take turns, too, so that
 * neither who is new nor who goes on waits for all of the others.
 *
 * An upload waits for some forty rounds of the event loop, one after the other, so that it feels whatever makes them longer.
 * While uploads last, turns are shorter, and come in intervals in which the loop is free for them.
 */
export class Turns {
  readonly #costPerTurn: number;
  readonly #expectantTurns: number;
  readonly #restTurns: number;
  readonly #kinds: Readonly<Record<Step, FairLines<Waiting>>> = {
    upload: new FairLines(),
    request: new FairLines(),
    first: new FairLines(),
    further: new FairLines(),
  };
  #order: readonly Step[] = ['request', 'first', 'further'];
  #left: number;
  #expectantLeft = 0;
  #uploads = 0;
  #rested = 0;
  #soon: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;

  constructor({ costPerTurn, expectantTurns = EXPECTANT_TURNS, restTurns = REST_TURNS }: TurnsOptions) {
    this.#costPerTurn = costPerTurn;
    this.#expectantTurns = expectantTurns;
    this.#restTurns = restTurns;
    this.#left = costPerTurn;
  }

  /**
   * Resolves at once while the turn has room, else in one of the next.
   * @param cost in the unit of `costPerTurn`
   * @param line those of one line get through in their order, and lines of a kind of steps take turns
   */
  take(step: Step, cost: number, line = ''): Promise<void> {
    this.#awaitEnd();
    if (this.#left <= 0) {
      return new Promise((proceed) => this.#kinds[step].add(line, { cost, proceed }));
    }
    this.#left -= cost;
    return Promise.resolve();
  }

  /** A client has come, and more may be waiting to be accepted. */
  newcomer(): void {
    this.#expectantLeft = this.#expectantTurns;
    this.#awaitEnd();
  }

  /** An upload begins. @returns a function to call once when it has ended */
  uploadBegins(): () => void {
    this.#uploads += 1;
    return () => {
      this.#uploads -= 1;
    };
  }

  /** Room of a turn, outside those in which newcomers are expected. */
  get #whole(): number {
    return this.#uploads > 0 ? this.#costPerTurn / UPLOAD_DIVISOR : this.#costPerTurn;
  }

  #awaitEnd(): void {
    if (this.#expectantLeft > 0 || this.#uploads === 0) this.#soon ??= setImmediate(() => this.#next());
    else this.#later ??= setTimeout(() => this.#next(), UPLOAD_INTERVAL_MS);
  }

  #next(): void {
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    this.#soon = undefined;
    this.#later = undefined;
    this.#left = this.#room();
    const upload = this.#kinds.upload.next();
    for (let next = upload ?? this.#nextWithin(); next; next = this.#nextWithin()) {
      this.#left -= next.cost;
      next.proceed();
    }
    // An unused whole turn is the last one until the next step.
    if (this.#left < this.#whole) this.#awaitEnd();
  }

  /** What may be let through in the turn that begins. */
  #room(): number {
    if (this.#expectantLeft === 0) {
      // A step that cost more than a turn beside uploads has used those after it, too.
      return this.#uploads > 0 ? Math.min(0, this.#left) + this.#whole : this.#whole;
    }
    this.#expectantLeft -= 1;
    this.#rested = (this.#rested + 1) % this.#restTurns;
    return this.#rested === 0 ? 1 : 0;
  }

  #nextWithin(): Waiting | undefined {
    return this.#left > 0 ? this.#takeNext() : undefined;
  }

  #takeNext(): Waiting | undefined {
    for (const step of this.#order) {
      const next = this.#kinds[step].next();
      if (!next) continue;
      this.#order = [...this.#order.filter((other) => other !== step), step];
      return next;
    }
    return undefined;
  }
}

interface Waiting {
  readonly cost: number;
  proceed(): void;
}
