/** Turns after the last newcomer in which more of them are expected: few of those that connect send at once. */
const SHORT_TURNS = 16;

/** The first step of somebody new, or a further one. */
export type Step = 'first' | 'further';

/**
 * Lets a few of many steps through in each turn of the event loop. What is ready at once is otherwise all done in one
 * turn, however long that takes; and since the loop accepts one connection in a turn, a client that connects behind
 * 500 others would wait for 500 long ones. Those who are new take turns with those who go on, so that neither wait for
 * all of the others.
 */
export class Turns {
  readonly #perTurn: number;
  readonly #lines: Readonly<Record<Step, (() => void)[]>> = { first: [], further: [] };
  #left: number;
  #firstNext = true;
  readonly #shortTurns: number;
  #shortLeft = 0;
  #ends = false;

  /**
   * @param perTurn steps that get through
   * @param shortTurns turns after a newcomer in which one step does
   */
  constructor(perTurn: number, shortTurns = SHORT_TURNS) {
    this.#perTurn = perTurn;
    this.#shortTurns = shortTurns;
    this.#left = perTurn;
  }

  /** Resolves at once while the turn has room, else in one of the next. */
  take(step: Step): Promise<void> {
    this.#awaitEnd();
    if (this.#left === 0) return new Promise((resolve) => this.#lines[step].push(resolve));
    this.#left -= 1;
    return Promise.resolve();
  }

  /** A client has come, and more may be waiting to be accepted: the next turns are short ones, with one step each. */
  newcomer(): void {
    this.#shortLeft = this.#shortTurns;
    this.#awaitEnd();
  }

  #awaitEnd(): void {
    if (this.#ends) return;
    this.#ends = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#ends = false;
    this.#left = this.#shortLeft > 0 ? 1 : this.#perTurn;
    if (this.#shortLeft > 0) this.#shortLeft -= 1;
    for (; this.#left > 0; this.#left -= 1) {
      const proceed = this.#takeNext();
      if (!proceed) break;
      proceed();
    }
    if (this.#left < this.#perTurn) this.#awaitEnd();
  }

  #takeNext(): (() => void) | undefined {
    const { first, further } = this.#lines;
    const lines = this.#firstNext ? [first, further] : [further, first];
    this.#firstNext = !this.#firstNext;
    return lines.find(({ length }) => length > 0)?.shift();
  }
}
