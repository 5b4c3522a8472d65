import { planPayload } from '../../protocols/payload/plan.ts';
import { admitUpload } from '../admission.ts';
import type { CatchUp } from '../catch-up.ts';
import type { Intake } from '../intake.ts';
import type { GatewayParts } from '../parts.ts';
import { readPart } from '../payload-part.ts';
import { clientSignal, type Handler } from '../request.ts';

/**
 * `POST /{object}?offset=N&complete=true|false`: takes one part of a payload, that is some of its segments. Parts may
 * come in any order, and again; with `complete=true` the payload is checked as a whole and acknowledged.
 */
export function putPart(parts: GatewayParts, take: Intake, catchUp: CatchUp): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const admitted = await catchUp(() => admitUpload(parts, c, signal), signal);
    const { length, ...part } = readPart(c, planPayload(admitted.object));
    return take(c, () => ({ ...admitted, length, part }), signal);
  };
}
