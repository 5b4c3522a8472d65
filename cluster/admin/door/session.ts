import { createHmac } from 'node:crypto';
import { type AdminRole, isEqual, type Tokens } from './tokens.ts';

/** Who asks, as far as we know. */
export interface Identity {
  readonly role: AdminRole;
  /** The name that somebody has given at the login or in `X-Sealion-Operator`; for the record only. */
  readonly name?: string;
}

/** Name of the cookie of a session. */
export const COOKIE = 'sealion_session';
/** How long a session lasts, ms. */
export const SESSION_MS = 12 * 3_600_000;

/**
 * What a browser shows instead of the token from its login on. Any node of the SP accepts it, since all have the same
 * tokens; it ends with its time, or when the token is changed.
 * @param now unix ms
 */
export function sessionCookie({ role, name = '' }: Identity, tokens: Tokens, now: number): string {
  const claim = [role, String(now + SESSION_MS), Buffer.from(name).toString('base64url')].join('.');
  return `${claim}.${signature(claim, tokens[role] ?? '')}`;
}

/** Who the owner of a cookie is; undefined when it is not one of ours or has ended. */
export function readSession(cookie: string, tokens: Tokens, now: number): Identity | undefined {
  const [role, endsAt = '', name = '', signed = '', ...more] = cookie.split('.');
  if ((role !== 'view' && role !== 'act') || more.length > 0) return undefined;
  const token = tokens[role];
  if (token === undefined || !isEqual(signed, signature([role, endsAt, name].join('.'), token)))
    return undefined;
  if (!(Number(endsAt) > now)) return undefined;
  return { role, ...(name !== '' && { name: Buffer.from(name, 'base64url').toString() }) };
}

function signature(claim: string, token: string): string {
  return createHmac('sha256', token).update(`sealion session ${claim}`).digest('base64url');
}
