/** One action of an operator. */
export interface AuditEntry {
  readonly id: string;
  /** Unix ms. */
  readonly at: number;
  /** The role of the token, the name that was given with it, and the address that it came from. */
  readonly who: string;
  /** For example `retry`. */
  readonly action: string;
  /** What was acted upon: a job, a node, or an SP. */
  readonly target: string;
  readonly reason?: string;
  /** What came of it; empty while it is in progress, or when the node ended before it knew. */
  readonly outcome: string;
  /** False for an action that was refused or failed, or whose end is unknown. */
  readonly isDone: boolean;
}

/** The record of what operators have done. It is not a projection: it is kept when the jobs are projected again. */
export interface Audit {
  /**
   * Written before the action: without a record there is no action.
   * @throws Retryable `records-unavailable`, as all methods
   */
  begin(entry: Omit<AuditEntry, 'outcome' | 'isDone'>): Promise<void>;
  end(id: string, result: Pick<AuditEntry, 'outcome' | 'isDone'>): Promise<void>;
  /** The newest first. @param limit 1 to 1000 */
  newest(limit: number): Promise<readonly AuditEntry[]>;
}
