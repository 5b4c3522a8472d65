/** What a node sees of its own load. */
export interface Load {
  /** How late the event loop is, ms (`LoopSample`). */
  readonly lateMs: number;
  /** Share of the time in which the event loop had something to do (`LoopSample`). */
  readonly busy: number;
  /** True while clients wait for answers, and shortly after. */
  readonly clients: boolean;
}

/**
 * How late the event loop may become through background work, while clients wait for answers and while none does; ms.
 * The second bound only ensures that the next client does not meet a long queue: on a machine whose cores are all busy
 * every process is some 10 ms late, which is not a reason to do less.
 */
const LATE_MS = { clients: 4, none: 100 };
/**
 * The share of the event loop that clients and jobs together may use while clients wait. A loop that many clients keep
 * busy with short turns is hardly late, and every job that it works on then costs them speed.
 */
const BUSY = 0.8;
/** Factor by which a sample above the bound reduces the number of jobs. */
const REDUCTION = 0.7;
/** The least factor by which a calm sample without clients increases it: there is no reason to begin slowly. */
const GROWTH = 1.5;
/**
 * Jobs that start together when many wait, while clients wait for answers and while none does: what they send to the same SP at the same time shares messages and signatures,
 * and what they write at the same time shares a sync.
 */
const GROUP = { clients: 8, none: 16 };
/** Maximum time between two starts in a group, ms. */
const GROUP_MS = 50;
/** Minimum time between two groups, so that they do not all reach their expensive steps together; ms. */
const MIN_INTERVAL_MS = 100;
/** After this time another job starts, whatever the load; ms. */
const MAX_INTERVAL_MS = 1_000;

/**
 * How many jobs may be worked on at once. A sample in which the event loop was on time and all allowed jobs were in work
 * adds one; while no client waits, half of them in work are enough, and half as many are added. A sample in which the loop was late, or busy while clients wait,
 * removes a fixed share. The number thus converges to the capacity that
 * clients leave, without knowing what a job costs on this machine. Whatever the load, a job starts every second until
 * the limit is reached. Jobs start in groups: once there is room for one, or for half of the allowed jobs.
 */
export class Allowance {
  readonly #limit: number;
  #allowedJobs = 1;
  /** Jobs that may still start in the present group. */
  #leftInGroup = 0;
  #load: Load = { lateMs: 0, busy: 0, clients: false };

  /** @param limit jobs that may be worked on at once when no client waits */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Jobs that may be worked on at once, 1 to the limit. */
  get allowedJobs(): number {
    return Math.floor(this.#allowedJobs);
  }

  get load(): Load {
    return this.#load;
  }

  /** True while clients wait and the event loop is late. */
  get clientsFirst(): boolean {
    return this.#load.clients && this.#isLate();
  }

  /** True while no further job starts, for the sake of clients. */
  get holdsBack(): boolean {
    return this.#load.clients && this.#isFull();
  }

  /** @param inWork jobs that are being worked on */
  observe(load: Load, inWork: number): void {
    this.#load = load;
    if (this.#isFull()) this.#allowedJobs = Math.max(1, this.#allowedJobs * REDUCTION);
    else if (load.clients) this.#grow(inWork >= this.allowedJobs ? 1 : 0);
    // A group waits until half of the allowed jobs have ended.
    else this.#grow(inWork >= this.allowedJobs / 2 ? this.#allowedJobs * (GROWTH - 1) : 0);
  }

  /** @param sinceStartMs since the last job was started */
  mayStart(inWork: number, sinceStartMs: number): boolean {
    if (inWork >= this.#limit) return false;
    if (sinceStartMs >= MAX_INTERVAL_MS) return true;
    const room = this.allowedJobs - inWork;
    if (room <= 0 || this.#isFull()) return false;
    if (this.#joinsGroup(sinceStartMs)) return true;
    return sinceStartMs >= MIN_INTERVAL_MS && room >= Math.min(this.#group, this.allowedJobs / 2);
  }

  /** A job has started. @param sinceStartMs since the job before it */
  started(sinceStartMs: number): void {
    this.#leftInGroup = (this.#joinsGroup(sinceStartMs) ? this.#leftInGroup : this.#group) - 1;
  }

  get #group(): number {
    return this.#load.clients ? GROUP.clients : GROUP.none;
  }

  #grow(more: number): void {
    this.#allowedJobs = Math.min(this.#limit, this.#allowedJobs + (more > 0 ? Math.max(1, more) : 0));
  }

  #joinsGroup(sinceStartMs: number): boolean {
    return this.#leftInGroup > 0 && sinceStartMs < GROUP_MS;
  }

  #isLate(): boolean {
    const { lateMs, clients } = this.#load;
    return lateMs > (clients ? LATE_MS.clients : LATE_MS.none);
  }

  #isFull(): boolean {
    const { busy, clients } = this.#load;
    return this.#isLate() || (clients && busy > BUSY);
  }
}
