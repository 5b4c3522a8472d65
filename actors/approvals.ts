import { formatJobId, type JobId } from '../protocols/job/identity.ts';
import type { Ledger } from '../runtime/journal/journal.ts';

/** An approval that this SP has given, as it lies in the ledger until it has expired. */
export interface GivenApproval {
  readonly job: JobId;
  readonly primarySpId: number;
  readonly granted: readonly { readonly gvgId: number; readonly redundancyIndex: number }[];
  /** Bytes of one column: the most that will come of it, since only one of the groups is taken. */
  readonly bytes: number;
  /** Unix ms. */
  readonly expiresAt: number;
}

const PREFIX = 'approval/';

/** The approvals that may still be used, and what they may still bring. */
export class Approvals {
  readonly #ledger: Ledger;
  readonly #given = new Map<string, GivenApproval>();

  private constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  static async load(ledger: Ledger, signal: AbortSignal): Promise<Approvals> {
    const approvals = new Approvals(ledger);
    for await (const [key, given] of ledger.entries<GivenApproval>(PREFIX, { signal })) {
      approvals.#given.set(key, given);
    }
    return approvals;
  }

  /** What all jobs but this one may still bring. */
  async outstanding(
    besides: JobId,
    now: number,
  ): Promise<{ readonly count: number; readonly bytes: number }> {
    await this.#forgetExpired(now);
    const others = [...this.#given].filter(([key]) => key !== keyOf(besides));
    return { count: others.length, bytes: others.reduce((sum, [, { bytes }]) => sum + bytes, 0) };
  }

  /** Durable when it resolves; takes the place of an earlier one for the job. */
  async give(approval: GivenApproval): Promise<void> {
    const key = keyOf(approval.job);
    await this.#ledger.put(key, approval);
    this.#given.set(key, approval);
  }

  async #forgetExpired(now: number): Promise<void> {
    for (const [key, { expiresAt }] of this.#given) {
      if (expiresAt > now) continue;
      await this.#ledger.delete(key);
      this.#given.delete(key);
    }
  }
}

function keyOf(job: JobId): string {
  return `${PREFIX}${formatJobId(job)}`;
}
