import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Retryable, type SealionError, toSealionError } from '#protocols/errors';
import { printableJson } from '#runtime/telemetry/printable';
import type { AdminEnv } from './door/env.ts';

/** The answer to a request that failed: code, message and advice (protocols/ERRORS.md). */
export function errorAnswer(thrown: Error, c: Context<AdminEnv>): Response {
  const error = toSealionError(thrown);
  const { code, message, advice } = error;
  const { retryAfterMs } = error instanceof Retryable ? error : {};
  return c.body(`${printableJson({ code, message, advice })}\n`, statusOf(error), {
    'Content-Type': 'application/json',
    ...(retryAfterMs !== undefined && { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) }),
    ...(code === 'token-missing' && { 'WWW-Authenticate': 'Bearer' }),
  });
}

function statusOf(error: SealionError): ContentfulStatusCode {
  return STATUS[error.code] ?? (error.kind === 'terminal' ? 400 : 503);
}

const STATUS: Readonly<Record<string, ContentfulStatusCode>> = {
  'token-missing': 401,
  'wrong-token': 401,
  'foreign-page': 403,
  'role-missing': 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'job-in-work': 409,
  'job-transition': 409,
  'not-draining': 409,
  'unknown-host': 421,
  'too-many-tries': 429,
};
