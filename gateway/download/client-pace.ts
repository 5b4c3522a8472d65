/** Maximum time credit of a client, in multiples of the idle timeout. */
const MOST_IDLE_TIMES = 3;
const FIRST_PORTION = 256 * 1024;
const SMALLEST_PORTION = 64 * 1024;
const LARGEST_PORTION = 2 ** 20;
/** A portion read faster than this is too small to be worth a call, one read slower too large to keep in memory; ms. */
const SOON_MS = 100;
const LATE_MS = 1_000;

export interface PaceLimits {
  /** A client that reads nothing from the start is cut off after this time, ms. */
  readonly idleTimeoutMs: number;
  /** Minimum average rate of a client. */
  readonly minBytesPerSecond: number;
}

/**
 * Measures how fast a client reads, to distinguish a slow one from an idle one. Each byte that it reads earns it the
 * time that the byte takes at the minimum rate, up to a few idle timeouts. Such a credit is needed because a socket
 * buffers about a megabyte and reports progress only after a third of it has been sent: a client of 30 KiB/s seems to
 * stop for half a minute at a time. A client that has really stopped is cut off when its credit is used up.
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

  /** Bytes to hand out next: about what the client reads in less than a second. */
  get portion(): number {
    return this.#portion < LARGEST_PORTION ? this.#portion : Number.POSITIVE_INFINITY;
  }

  /** Records that bytes are handed to the client. @returns how long it may take until it asks for more, ms */
  hand(bytes: number): number {
    this.#handed = { bytes, at: performance.now() };
    return this.#leftMs;
  }

  /** Records that the client has read what it was handed. */
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
