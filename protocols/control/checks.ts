import type { z } from 'zod';
import { Terminal } from '../errors.ts';

/** A message is void after this time, ms: as long as mail rests in a mailbox, and as long as approvals hold. */
export const MAX_CONTROL_LIFETIME_MS = 3_600_000;

/** How far ahead of ours a sender's clock may go, ms. */
export const CLOCK_SKEW_MS = 30_000;

/** @throws Terminal `control-not-yet`, `control-expired`, `control-lives-too-long` */
export function checkTimes(
  { issuedAt, expiresAt }: { readonly issuedAt: number; readonly expiresAt: number },
  now: number,
): void {
  if (issuedAt > now + CLOCK_SKEW_MS) {
    throw refused('control-not-yet', 'it was issued in the future', 'Compare the clocks of both providers.');
  }
  if (expiresAt <= now) throw refused('control-expired', 'it has expired');
  if (expiresAt - issuedAt > MAX_CONTROL_LIFETIME_MS) {
    throw refused('control-lives-too-long', 'it would be valid for too long');
  }
}

/** @throws Terminal `control-malformed` that says where */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.infer<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.join('.') || 'the message';
  throw refused('control-malformed', `${where}: ${issue?.message}`, undefined, result.error);
}

/** Why a control message is not valid. */
export function refused(code: string, why: string, advice?: string, cause?: unknown): Terminal {
  return new Terminal({
    code,
    message: `The control message is not valid: ${why}.`,
    ...(advice !== undefined && { advice }),
    cause,
  });
}
