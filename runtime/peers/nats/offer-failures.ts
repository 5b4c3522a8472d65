import { Retryable, type SealionError, Terminal } from '#protocols/errors';
import type { OfferRefusal } from '../peers.ts';

/** What a primary makes of a secondary's no: `offer-refused`, or `receipt-refused` once the bytes were seen. */
export function offerRefused(
  code: 'offer-refused' | 'receipt-refused',
  spId: number,
  { reason, code: why, again }: OfferRefusal,
): SealionError {
  const facts = { code, message: `SP ${spId} refused: ${reason} (${why})` };
  return again ? new Retryable(facts) : new Terminal(facts);
}

/** @param cause why an offer may not have arrived, where that is known */
export function offerUnanswered(spId: number, waitedMs: number, cause?: unknown): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: `SP ${spId} did not answer the offer in ${waitedMs / 1000} s.`,
    advice: 'None of its nodes accepts offers, or all are busy.',
    cause,
  });
}
