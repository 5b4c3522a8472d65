import { Retryable, type SealionError, Terminal } from '#protocols/errors';
import type { OfferRefusal } from '../peers.ts';

/**
 * The error of the primary after a secondary's refusal: `offer-refused`, or `receipt-refused` once the secondary has
 * seen the bytes.
 */
export function offerRefused(
  code: 'offer-refused' | 'receipt-refused',
  spId: number,
  { reason, code: why, again }: OfferRefusal,
): SealionError {
  const facts = { code, message: `SP ${spId} refused: ${reason} (${why})` };
  return again ? new Retryable(facts) : new Terminal(facts);
}

/** @param cause why the offer may not have arrived, if known */
export function offerUnanswered(spId: number, waitedMs: number, cause?: unknown): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: `SP ${spId} did not answer the offer in ${waitedMs / 1000} s.`,
    advice: 'None of its nodes accepts offers, or all are busy.',
    cause,
  });
}
