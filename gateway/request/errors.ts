import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { Retryable, type SealionError, toSealionError } from '#protocols/errors';
import {
  errorXml,
  GATEWAY_ERRORS,
  type GatewayAnswer,
  gatewayAnswer,
} from '#protocols/greenfield/gateway-errors';
import type { GatewayContext } from './context.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { xmlTypeOf } from './xml.ts';

/** Gateway codes of errors from below the gateway, which have none of their own; their messages are for operators. */
export const INNER_CODES: Readonly<Record<string, number>> = {
  'chain-unavailable': 55001,
  'chain-refused': 55001,
  'creation-timeout': 55001,
  'update-timeout': 55001,
  'signing-account-unknown': 120020,
  'role-lost': 120001,
  'signer-busy': 60003,
  'bad-answer': 120001,
  'nobody-answers': 120001,
  'answerer-silent': 120001,
  'call-timeout': 120001,
  'too-many-calls': 60003,
  'mailbox-full': 60003,
  'actor-stopped': 60004,
  'ask-timeout': 60003,
  aborted: 60004,
  'piece-store-unavailable': 115001,
  'piece-missing': 115001,
  'piece-corrupt': 115001,
  'nats-unavailable': 115101,
  'journal-unavailable': 115101,
  'records-unavailable': 115101,
  'records-closed': 115101,
};

/** The answer to the client for an error. */
export function answerTo(error: SealionError): GatewayAnswer {
  if (error.gatewayCode !== undefined) {
    const answer = gatewayAnswer(error);
    return error.advice ? { ...answer, message: `${answer.message} ${error.advice}` } : answer;
  }
  const code = INNER_CODES[error.code];
  const row = code === undefined ? undefined : GATEWAY_ERRORS[code];
  if (code === undefined || !row) return gatewayAnswer(error);
  const message = error instanceof Retryable ? `${row.message} Try again in a few seconds.` : row.message;
  return { code, status: row.status, message };
}

/** Converts what a handler threw into the response, and notes it in the request's record. */
export function errorResponse(thrown: unknown, c: GatewayContext): Response {
  const error = toSealionError(thrown);
  const answer = answerTo(error);
  c.get('record').failure = { code: answer.code, error };
  const retryAfter = retryAfterSeconds(error, answer.code);
  if (retryAfter !== undefined) c.header('Retry-After', String(retryAfter));
  c.header('Content-Type', xmlTypeOf(c));
  return c.body(errorXml(answer.code, answer.message), answer.status as ContentfulStatusCode);
}
