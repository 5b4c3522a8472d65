import { z } from '@hono/zod-openapi';
import type { AuditEntry } from '#runtime/records/audit';
import type { Identity } from '../door/session.ts';

/** What an operator can have done. Each goes to whoever owns the matter, which may refuse. */
export const ACTIONS = [
  'retry',
  'reject',
  'repair',
  'drain',
  'undrain',
  'pause-intake',
  'resume-intake',
  'ban-peer',
  'unban-peer',
  'forget-node',
] as const;
export type ActionName = (typeof ACTIONS)[number];

const MAX_TEXT = 200;
/** A ban of more than a year is a matter for the chain. */
const MAX_MINUTES = 366 * 24 * 60;

export const actionRequest = z
  .object({
    action: z.enum(ACTIONS),
    target: z.string().min(1).max(MAX_TEXT).describe('a job (4711.0), a node (sp-1@a), or the id of an SP'),
    reason: z.string().max(MAX_TEXT).optional().describe('for the record'),
    minutes: z.number().int().min(1).max(MAX_MINUTES).optional().describe('how long; of ban-peer'),
  })
  .openapi('ActionRequest');
export type ActionRequest = z.infer<typeof actionRequest>;

export const auditEntry = z
  .object({
    id: z.string(),
    at: z.number().describe('unix ms'),
    who: z.string(),
    action: z.string(),
    target: z.string(),
    reason: z.string().optional(),
    outcome: z.string(),
    isDone: z.boolean(),
  })
  .openapi('AuditEntry');

/** An operator and where the request comes from. */
export interface Operator extends Identity {
  readonly address?: string;
}

/** What an action tells while it is done. */
export interface Following {
  /** In the record; a new one by default. */
  readonly id?: string;
  readonly signal?: AbortSignal;
  /** Called with a sentence that says how far it is; must not throw. */
  readonly onProgress?: (text: string) => void;
}

/** Has actions done by the actors that own the matter, and keeps the record of them. */
export interface Actions {
  /**
   * @returns what came of it, in a sentence
   * @throws Retryable `records-unavailable`: without a record there is no action; Terminal `bad-action`, and whatever
   * the owner of the matter refuses with
   */
  perform(request: ActionRequest, by: Operator, following?: Following): Promise<string>;
  /** The newest first. @throws Retryable `records-unavailable` */
  audit(limit: number): Promise<readonly AuditEntry[]>;
}
