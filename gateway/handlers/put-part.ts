import { planPayload } from '#protocols/payload/plan';
import type { CatchUp } from '../access/catch-up.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { admitUpload } from '../upload/admission.ts';
import type { Intake } from '../upload/intake.ts';
import { readPart } from '../upload/part.ts';

/**
 * `POST /{object}?offset=N&complete=true|false`: receives one part of a payload, that is, some of its segments.
 * Parts may arrive in any order, and repeatedly; with `complete=true` the whole payload is checked and
 * acknowledged.
 */
export function putPart(dependencies: GatewayDependencies, take: Intake, catchUp: CatchUp): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const admitted = await catchUp(() => admitUpload(dependencies, c, signal), signal);
    const { length, ...part } = readPart(c, planPayload(admitted.object));
    return take(c, () => ({ ...admitted, length, part }), signal);
  };
}
