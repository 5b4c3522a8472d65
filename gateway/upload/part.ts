import type { UploadPart } from '#actors/messages';
import { Terminal } from '#protocols/errors';
import { planPart } from '#protocols/payload/part';
import type { PayloadPlan } from '#protocols/payload/plan';
import type { GatewayContext } from '../request/context.ts';
import { declaredLength, readBytes } from './lengths.ts';

/** A part of a payload, with the length of its body. */
export interface SizedPart extends UploadPart {
  readonly length: number;
}

/**
 * The part that a request names.
 * @throws Terminal 400/50027 and 50028 for bad parameters, 400/50009 without a length, and as `planPart`
 */
export function readPart(c: GatewayContext, plan: PayloadPlan): SizedPart {
  const { query } = c.get('target');
  const complete = query.get('complete');
  if (complete !== 'true' && complete !== 'false') {
    throw refused(50027, 'The parameter "complete" is neither true nor false.');
  }
  const offset = readBytes(query.get('offset'));
  if (offset === undefined) throw refused(50028, 'The parameter "offset" is not a number of bytes.');
  const length = declaredLength(c);
  if (length === undefined || !Number.isFinite(length)) {
    throw refused(50009, 'A part needs a Content-Length.');
  }
  return {
    ...planPart(plan, offset, length),
    complete: complete === 'true',
    length,
  };
}

function refused(gatewayCode: number, message: string): Terminal {
  return new Terminal({ code: 'bad-part', message, gatewayCode });
}
