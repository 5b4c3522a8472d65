/** The most time that a client can have left when it stops reading, in idle times. */
const MOST_IDLE_TIMES = 3;
const FIRST_PORTION = 256 * 1024;
const SMALLEST_PORTION = 64 * 1024;
const LARGEST_PORTION = 2 ** 20;
/** A portion that was taken sooner is too small to be worth its call, one that was taken later too large to be held; ms. */
const SOON_MS = 100;
const LATE_MS = 1_000;

export interface PaceLimits {
  /** A client that takes nothing from the begin is cut off after so long, ms. */
  readonly idleTimeoutMs: number;
  /** A client must reach this on average. */
  readonly minBytesPerSecond: number;
}

/**
 * How fast a client takes what it is sent. Slow is not idle: every byte that it takes gives it the time that it would
 * have at the lowest rate, up to a few idle times. It may come to much at once, because a socket takes a megabyte from
 * us and lets us know when a third of that has left; so a client of 30 KiB/s seems to stop for half a minute again and
 * again. A client that really stops is found out when its time is used up.
 */
export class ClientPace {
  readonly #limits: PaceLimits;
  #portion = FIRST_PORTION;
  #leftMs: number;
  #handed: { readonly bytes: number; readonly at: number } | undefined;

  constructor(limits: PaceLimits) {
    this.#limits = limits;
    this.#leftMs = limits.idleTimeoutMs;
  }

  /** Bytes to be handed out next: what the client takes in less than a second or so. */
  get portion(): number {
    return this.#portion < LARGEST_PORTION ? this.#portion : Number.POSITIVE_INFINITY;
  }

  /** Bytes are handed to the client. @returns how long it may take to ask for more, ms */
  hand(bytes: number): number {
    this.#handed = { bytes, at: performance.now() };
    return this.#leftMs;
  }

  /** The client wants more: it has taken what it was handed. */
  taken(): void {
    if (!this.#handed) return;
    const { bytes, at } = this.#handed;
    this.#handed = undefined;
    const tookMs = performance.now() - at;
    const { idleTimeoutMs, minBytesPerSecond } = this.#limits;
    const earnedMs = (bytes / minBytesPerSecond) * 1000;
    this.#leftMs = Math.min(MOST_IDLE_TIMES * idleTimeoutMs, this.#leftMs - tookMs + earnedMs);
    if (tookMs < SOON_MS) this.#portion = Math.min(LARGEST_PORTION, this.#portion * 2);
    else if (tookMs > LATE_MS) this.#portion = Math.max(SMALLEST_PORTION, this.#portion / 2);
  }
}
