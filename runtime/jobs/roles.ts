/** Roles that one node of the SP may hold at a time (ARCHITECTURE.md#the-two-nats-planes, `ROLES`). */
export interface Roles {
  /**
   * Waits until the role is ours. The holding renews itself; its signal fires when the last accepted renewal
   * is older than ack_wait, or on release.
   */
  hold(role: string, options: { readonly signal: AbortSignal }): Promise<Holding>;
}

export interface Holding {
  readonly role: string;
  readonly signal: AbortSignal;
  /** Lets another node have it now. */
  release(): Promise<void>;
}
