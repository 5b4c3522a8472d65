import { setTimeout as sleep } from 'node:timers/promises';
import { toSealionError } from '#protocols/errors';
import type { Logger } from '../../telemetry/logger.ts';
import { Repeats } from '../../telemetry/repeats.ts';

/** Bad messages of one SP that are looked at in a burst, and a second from then on. */
const BURST = 50;
const PER_SECOND = 10;

interface Account {
  /** Bad messages that may still come. */
  left: number;
  /** Monotonic, ms. */
  at: number;
}

/**
 * What the other SPs send that is wrong. Each refusal is on the sender's account: one that sends more rubbish than
 * its share is not heard until its account has recovered, and costs the others nothing. Senders are known by the
 * subject of their message, which the server lets nobody else publish on.
 */
export class Strangers {
  readonly #repeats: Repeats;
  /** By SP id: no more than there are members of the peers plane. */
  readonly #accounts = new Map<number, Account>();

  constructor(log: Logger) {
    this.#repeats = new Repeats(log);
  }

  /** Logs a refusal, within bounds, and counts it unless the fault may be ours. */
  refused(from: number, thrown: unknown, message: string): void {
    const error = toSealionError(thrown);
    if (error.kind === 'terminal') this.charge(from);
    this.#repeats.warn(`SP ${from}`, error, message);
  }

  /** Logs a refusal of what does not say on its subject whose it is. */
  unnamed(thrown: unknown, message: string): void {
    this.#repeats.warn('an SP', thrown, message);
  }

  /** For what costs us and brings nothing, though nothing is wrong with it. */
  charge(from: number): void {
    const account = this.#recovered(from);
    account.left = Math.max(0, account.left - 1);
    this.#accounts.set(from, account);
  }

  /** Whether a message of this SP is to be looked at now. */
  heard(from: number): boolean {
    return this.#recovered(from).left >= 1;
  }

  /** For what rests until we look at it. Resolves also when the signal fires. */
  async untilHeard(from: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.heard(from)) {
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
