/** What a node sees of its own load. */
export interface Load {
  /** How late the event loop is, ms (`LoopSample`). */
  readonly lateMs: number;
  /** True while clients wait for answers, and shortly after. */
  readonly clients: boolean;
}

/**
 * How late background work may make the event loop while clients wait for answers, and while none does; ms. Without
 * clients the bound is only there so that the next one is not met by a queue: on a machine whose processors are all busy
 * every process is some ten ms late, and that is no reason to do less.
 */
const LATE_MS = { clients: 4, none: 100 };
/** What one sample above the bound leaves of the jobs at once. */
const LESS = 0.7;
/** From one start to the next, so that jobs do not all reach their expensive steps together; ms. */
const APART_MS = 25;
/** After so long another job starts, whatever the load is; ms. */
const LONGEST_WAIT_MS = 1_000;

/**
 * How many jobs may be worked on at once: one more with each sample in which the event loop was in time and all were
 * needed, a share fewer with each in which it was late. That settles at what clients leave over, without a notion of
 * how much a job costs here. However great the load is, a job starts every second until the limit is reached.
 */
export class Allowance {
  readonly #limit: number;
  #places = 1;
  #load: Load = { lateMs: 0, clients: false };

  /** @param limit jobs at once when there is nothing else to do */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Jobs that may be worked on at once, 1 to the limit. */
  get places(): number {
    return Math.floor(this.#places);
  }

  get load(): Load {
    return this.#load;
  }

  /** True while clients wait and the event loop is late. */
  get clientsFirst(): boolean {
    return this.#load.clients && this.#isLate();
  }

  /** @param inWork jobs that are being worked on */
  observe(load: Load, inWork: number): void {
    this.#load = load;
    if (this.#isLate()) this.#places = Math.max(1, this.#places * LESS);
    else if (inWork >= this.places) this.#places = Math.min(this.#limit, this.#places + 1);
  }

  /** @param sinceStartMs since the last job was started */
  mayStart(inWork: number, sinceStartMs: number): boolean {
    if (inWork >= this.#limit) return false;
    if (sinceStartMs >= LONGEST_WAIT_MS) return true;
    return sinceStartMs >= APART_MS && inWork < this.places && !this.#isLate();
  }

  #isLate(): boolean {
    const { lateMs, clients } = this.#load;
    return lateMs > (clients ? LATE_MS.clients : LATE_MS.none);
  }
}
