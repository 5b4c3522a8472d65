import { setTimeout as sleep } from 'node:timers/promises';
import { toSealionError } from '#protocols/errors';
import type { Ledger } from '#runtime/journal/journal';
import type { Logger } from '#runtime/telemetry/logger';

const PREFIX = 'operator/ban/';
/** How soon every node knows of a ban at the latest, ms. */
const EVERY_MS = 5_000;
/** There are far fewer SPs. */
const LIMIT = 10_000;

interface Ban {
  /** Unix ms. */
  readonly until: number;
  readonly by: string;
}

/**
 * SPs that operators have banned for a time: nothing is approved for them, and no group that they belong to is chosen.
 * What was approved before is still received, and what is stored is kept. In the ledger, so that all nodes know and a
 * restart changes nothing.
 */
export class Bans {
  readonly #ledger: Ledger;
  readonly #log: Logger;
  #until: ReadonlyMap<number, number> = new Map();

  constructor(ledger: Ledger, log: Logger) {
    this.#ledger = ledger;
    this.#log = log;
  }

  isBanned(spId: number): boolean {
    return this.until(spId) !== undefined;
  }

  /** Unix ms; undefined when it is not banned. */
  until(spId: number): number | undefined {
    const until = this.#until.get(spId) ?? 0;
    return until > Date.now() ? until : undefined;
  }

  async ban(spId: number, ban: Ban): Promise<void> {
    await this.#ledger.put(`${PREFIX}${spId}`, ban);
    await this.#read();
  }

  async unban(spId: number): Promise<void> {
    await this.#ledger.delete(`${PREFIX}${spId}`);
    await this.#read();
  }

  /** Keeps up with the other nodes until the signal fires; never rejects. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#read();
      } catch (thrown) {
        this.#log.debug({ error: toSealionError(thrown) }, 'could not read which SPs are banned');
      }
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #read(): Promise<void> {
    const found = new Map<number, number>();
    for await (const [key, { until }] of this.#ledger.entries<Ban>(PREFIX)) {
      if (found.size >= LIMIT) break;
      found.set(Number(key.slice(PREFIX.length)), until);
    }
    this.#until = found;
  }
}
