import { Retryable } from '#protocols/errors';

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

/** How work ends that needs the role. Whoever wants the role back may ask for it at once: nothing has failed. */
export function roleLost(role: string): Retryable {
  return new Retryable({
    code: 'role-lost',
    message: `This node no longer holds the role ${role}.`,
    advice: 'Try again: another node is taking over the role.',
    retryAfterMs: 0,
  });
}
