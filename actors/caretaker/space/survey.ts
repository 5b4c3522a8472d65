import type { Ledger } from '#runtime/journal/journal';

/** An amount of stored data: `units` counts payloads and columns. */
export interface Amount {
  readonly units: number;
  readonly bytes: number;
}

/** One pass through the PieceStore. Data stored meanwhile may be counted twice or not at all. */
export interface Survey {
  /** Unix ms. */
  readonly startedAt: number;
  readonly finishedAt?: number;
  /** Position reached in the PieceStore. */
  readonly position: number;
  readonly needed: Amount;
  /** No longer needed, and not deleted yet. */
  readonly unneeded: Amount;
  /** Kept, because neither chain nor journal shows whether it is needed. */
  readonly unknown: Amount;
}

const CURRENT = 'space/survey/current';
const LAST = 'space/survey/last';
const NOTHING: Amount = { units: 0, bytes: 0 };

/** The progress of surveys, stored in the ledger so that one continues after a restart. */
export class Surveys {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The last complete survey. */
  last(): Promise<Survey | undefined> {
    return this.#ledger.get<Survey>(LAST);
  }

  /** The survey to continue; a new one if the last began at least `everyMs` ago; otherwise undefined. */
  async current(everyMs: number): Promise<Survey | undefined> {
    const current = await this.#ledger.get<Survey>(CURRENT);
    if (current) return current;
    const last = await this.last();
    if (last && Date.now() - last.startedAt < everyMs) return undefined;
    return { startedAt: Date.now(), position: 0, needed: NOTHING, unneeded: NOTHING, unknown: NOTHING };
  }

  async put(survey: Survey): Promise<void> {
    if (survey.finishedAt === undefined) return this.#ledger.put(CURRENT, survey);
    await this.#ledger.put(LAST, survey);
    await this.#ledger.delete(CURRENT);
  }
}

export function plus({ units, bytes }: Amount, more: number): Amount {
  return { units: units + 1, bytes: bytes + more };
}
