import { Terminal, toSealionError } from '#protocols/errors';
import type { PayloadPlan } from '#protocols/payload/plan';
import type { ColumnOffer, OfferRefusal } from '../peers.ts';
import type { ControlCodec } from './control-codec.ts';

/** @throws Terminal `offer-malformed` when the object has no such column */
export function checkPlace(plan: PayloadPlan, redundancyIndex: number): void {
  if (redundancyIndex >= plan.columnCount) throw malformedOffer(`there is no column ${redundancyIndex}`);
}

/** Undefined when the offer contains our approval for this very column. */
export function approvalFault(codec: ControlCodec, offer: ColumnOffer): OfferRefusal | undefined {
  try {
    codec.checkApproval(offer);
    return undefined;
  } catch (error) {
    const { code, message } = toSealionError(error);
    return { code, reason: message, again: true };
  }
}

export function malformedOffer(why: string): Terminal {
  return new Terminal({ code: 'offer-malformed', message: `The offer is inconsistent: ${why}.` });
}
