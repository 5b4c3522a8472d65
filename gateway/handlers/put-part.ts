import type { UploadPart } from '../../actors/messages.ts';
import { Terminal } from '../../protocols/errors.ts';
import { planPart } from '../../protocols/payload/part.ts';
import { type PayloadPlan, planPayload } from '../../protocols/payload/plan.ts';
import { admitUpload } from '../admission.ts';
import type { Intake } from '../intake.ts';
import type { GatewayParts } from '../parts.ts';
import { clientSignal, type GatewayContext, type Handler } from '../request.ts';

/**
 * `POST /{object}?offset=N&complete=true|false`: takes one part of a payload, that is some of its segments. Parts may
 * come in any order, and again; with `complete=true` the payload is checked as a whole and acknowledged.
 */
export function putPart(parts: GatewayParts, take: Intake): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const admitted = await admitUpload(parts, c, signal);
    const { length, ...part } = readPart(c, planPayload(admitted.object));
    return take(c, { ...admitted, length, part }, signal);
  };
}

/**
 * The part that a request names.
 * @throws Terminal 400/50027 and 50028 for bad parameters, 400/50009 without a length, and as `planPart`
 */
function readPart(c: GatewayContext, plan: PayloadPlan): UploadPart & { readonly length: number } {
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
