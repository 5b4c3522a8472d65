import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Ledger } from '#runtime/journal/journal';

/** An approval given by this SP, stored in the ledger until it expires. */
export interface GivenApproval {
  readonly job: JobId;
  readonly primarySpId: number;
  readonly granted: readonly { readonly gvgId: number; readonly redundancyIndex: number }[];
  /** Bytes of one column: the maximum to be stored for it, since only one of the groups is chosen. */
  readonly bytes: number;
  /** A standing approval, for all columns that it may bring; `bytes` are those of all. */
  readonly standing?: true;
  /** Unix ms. */
  readonly expiresAt: number;
}

const PREFIX = 'approval/';
/** Limit per deletion, which must be short since a new approval may have to wait for it. */
const FORGOTTEN_AT_ONCE = 1_000;

/** The approvals that may still be used, and the columns that may still arrive under them. */
export class Approvals {
  readonly #ledger: Ledger;
  readonly #given = new Map<string, GivenApproval>();
  /** Those of an earlier process of this node, and of other nodes before this one started. */
  readonly #found = new Set<string>();
  readonly #giving = new Set<string>();
  /** The last deletion; it never rejects. */
  #forgetting: Promise<void> = Promise.resolve();

  private constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  static async load(ledger: Ledger, signal: AbortSignal): Promise<Approvals> {
    const approvals = new Approvals(ledger);
    for await (const [key, given] of ledger.entries<GivenApproval>(PREFIX, { signal })) {
      approvals.#given.set(key, given);
      approvals.#found.add(key);
    }
    return approvals;
  }

  /**
   * Number and bytes of the columns that may still arrive at the SP for all jobs except one. Of what the other nodes have
   * approved since this one started nothing is known: each counts as if it had approved as much.
   * @param nodes that approve for the SP, this one included
   */
  outstanding(except: JobId, now: number, nodes = 1): { readonly count: number; readonly bytes: number } {
    const own = keyOf(except);
    let [count, bytes] = [0, 0];
    for (const [key, given] of this.#given) {
      if (key === own || given.expiresAt <= now) continue;
      const times = this.#found.has(key) ? 1 : nodes;
      count += times;
      bytes += times * given.bytes;
    }
    return { count, bytes };
  }

  /** Durable when it resolves; replaces an earlier one for the job, or a standing one for the primary and group. */
  async give(approval: GivenApproval): Promise<void> {
    const { job, primarySpId, granted, standing } = approval;
    const key = standing ? `${PREFIX}standing/${primarySpId}/${granted[0]?.gvgId}` : keyOf(job);
    // Neither a running deletion nor one that starts now may delete this approval.
    this.#giving.add(key);
    try {
      await this.#forgetting;
      await this.#ledger.put(key, approval);
      this.#given.set(key, approval);
      this.#found.delete(key);
    } finally {
      this.#giving.delete(key);
    }
  }

  /**
   * Forgets approvals that have expired, `FORGOTTEN_AT_ONCE` at most, in one synced write.
   * @returns false when more may be left
   */
  async forgetExpired(now: number): Promise<boolean> {
    const expired = [];
    for (const [key, given] of this.#given) {
      if (expired.length === FORGOTTEN_AT_ONCE) break;
      if (given.expiresAt <= now && !this.#giving.has(key)) expired.push(key);
    }
    if (expired.length === 0) return true;
    const deleting = this.#ledger.deleteAll(expired);
    this.#forgetting = deleting.catch(() => undefined);
    await deleting;
    for (const key of expired) {
      this.#given.delete(key);
      this.#found.delete(key);
    }
    return expired.length < FORGOTTEN_AT_ONCE;
  }
}

function keyOf(job: JobId): string {
  return `${PREFIX}${formatJobId(job)}`;
}
