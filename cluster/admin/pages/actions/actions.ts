import type { Identity } from '../../door/session.ts';
import type { AuditEntry } from './audit.tsx';
import type { ActionName } from './table.ts';

/** What an operator has confirmed. */
export interface ActionRequest {
  readonly action: ActionName;
  /** `4711.0`, `sp-1@a`, or the id of a peer. */
  readonly target: string;
  /** For the record. */
  readonly reason?: string;
  /** For how long; of `ban-peer`. */
  readonly minutes?: number;
}

/** Has actions done by the actors that own the matter, and keeps the record of them. */
export interface Actions {
  /** @returns what came of it, in a sentence. @throws what the owner of the matter refuses with */
  perform(request: ActionRequest, by: Identity, signal?: AbortSignal): Promise<string>;
  /** The newest first. @throws Retryable `records-unavailable` */
  audit(limit: number): Promise<readonly AuditEntry[]>;
}
