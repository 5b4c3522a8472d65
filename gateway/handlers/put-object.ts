import type { CatchUp } from '../access/catch-up.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { admitUpload } from '../upload/admission.ts';
import type { Intake } from '../upload/intake.ts';
import { checkPutLength } from '../upload/lengths.ts';

/** `PUT /{object}`: receives the whole payload of an object created on chain. */
export function putObject(dependencies: GatewayDependencies, take: Intake, catchUp: CatchUp): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const admitted = await catchUp(() => admitUpload(dependencies, c, signal), signal);
    const { payloadSize } = admitted.object;
    checkPutLength(c, payloadSize, dependencies.limits.maxPayloadSize);
    return take(c, () => ({ ...admitted, length: payloadSize }), signal);
  };
}
