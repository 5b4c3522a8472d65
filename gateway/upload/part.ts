import type { UploadPart } from '#actors/messages';
import { Terminal } from '#protocols/errors';
import { planPart } from '#protocols/payload/part';
import type { PayloadPlan } from '#protocols/payload/plan';
import type { GatewayContext } from '../request/context.ts';

/** A part of a payload, with the bytes that its body has. */
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
  const offset = query.get('offset') ?? '';
  if (!/^[0-9]{1,15}$/.test(offset)) throw refused(50028, 'The parameter "offset" is no number of bytes.');
  const length = c.req.header('Content-Length') ?? '';
  if (!/^[0-9]{1,15}$/.test(length)) throw refused(50009, 'A part needs a Content-Length.');
  return {
    ...planPart(plan, Number(offset), Number(length)),
    complete: complete === 'true',
    length: Number(length),
  };
}

function refused(gatewayCode: number, message: string): Terminal {
  return new Terminal({ code: 'bad-part', message, gatewayCode });
}
