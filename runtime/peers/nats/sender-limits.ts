import { setTimeout as sleep } from 'node:timers/promises';
import { toSealionError } from '#protocols/errors';
import type { Logger } from '../../telemetry/logger.ts';
import { Repeats } from '../../telemetry/repeats.ts';

/** Invalid messages of one SP that are processed in a burst, and per second afterwards. */
const BURST = 50;
const PER_SECOND = 10;

interface Account {
  /** Invalid messages that are still allowed. */
  left: number;
  /** Monotonic, ms. */
  at: number;
}

/**
 * Rate limits for invalid messages of other SPs. Each rejected message is charged to its sender: one that sends more
 * invalid messages than its share is ignored until its account has recovered; others are not affected. Senders are
 * identified by the subject of their message, on which the server lets nobody else publish.
 */
export class SenderLimits {
  readonly #repeats: Repeats;
  /** By SP id: no more than there are members of the peers plane. */
  readonly #accounts = new Map<number, Account>();

  constructor(log: Logger) {
    this.#repeats = new Repeats(log);
  }

  /** Logs a rejected message, within bounds, and charges its sender unless the fault may be ours. */
  rejected(from: number, thrown: unknown, message: string): void {
    const error = toSealionError(thrown);
    if (error.kind === 'terminal') this.charge(from);
    this.#repeats.warn(`SP ${from}`, error, message);
  }

  /** Logs a rejected message whose subject does not name its sender. */
  rejectedUnnamed(thrown: unknown, message: string): void {
    this.#repeats.warn('an SP', thrown, message);
  }

  /** Charges a valid message that costs us work without a result. */
  charge(from: number): void {
    const account = this.#recovered(from);
    account.left = Math.max(0, account.left - 1);
    this.#accounts.set(from, account);
  }

  /** True when messages of this SP are processed now. */
  allows(from: number): boolean {
    return this.#recovered(from).left >= 1;
  }

  /**
   * Waits until messages of this SP are processed again; for messages that are stored meanwhile. Also resolves when
   * the signal fires.
   */
  async untilAllowed(from: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.allows(from)) {
      await sleep(1000 / PER_SECOND, undefined, { signal }).catch(() => undefined);
    }
  }

  #recovered(from: number): Account {
    const now = performance.now();
    const account = this.#accounts.get(from);
    if (!account) return { left: BURST, at: now };
    account.left = Math.min(BURST, account.left + ((now - account.at) / 1000) * PER_SECOND);
    account.at = now;
    if (account.left === BURST) this.#accounts.delete(from);
    return account;
  }
}
