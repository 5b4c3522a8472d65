/** A limit is as many waits of the event loop. */
const WAITS = 20;

/**
 * A time limit that only runs while this process has its turns: after a stall, what has arrived meanwhile is read
 * before the limit is over. On a machine that is too busy it takes longer.
 */
export class TurnLimit {
  /** Resolves when the time is over. */
  readonly over: Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.over = new Promise((resolve) => {
      const wait = (left: number) => {
        if (left === 0) resolve();
        else this.#timer = setTimeout(wait, ms / WAITS, left - 1);
      };
      wait(WAITS);
    });
  }

  /** Ends it early: `over` never resolves then. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
