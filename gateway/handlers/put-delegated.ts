import type { CatchUp } from '../access/catch-up.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { admitDelegation, delegatedJob } from '../upload/delegation.ts';
import { readDelegation } from '../upload/delegation-query.ts';
import type { Intake } from '../upload/intake.ts';
import { checkPutLength } from '../upload/lengths.ts';

/**
 * `PUT /{object}?delegate&is_update&payload_size&visibility`: announces an object, or new content of one, for a
 * client that sends no transaction itself, and receives the whole payload. An upload announced earlier continues.
 */
export function putDelegated(dependencies: GatewayDependencies, take: Intake, catchUp: CatchUp): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const delegation = await catchUp(() => admitDelegation(dependencies, c, readDelegation, signal), signal);
    const { payloadSize: length } = delegation.announcement;
    checkPutLength(c, length, dependencies.limits.maxPayloadSize);
    return take(
      c,
      async () => ({ ...(await delegatedJob(dependencies, delegation, signal)), length }),
      signal,
    );
  };
}
