import { Terminal } from '#protocols/errors';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { CatchUp } from '../access/catch-up.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { admitDelegation, delegatedJob } from '../upload/delegation.ts';
import { readDelegation } from '../upload/delegation-query.ts';
import type { Intake } from '../upload/intake.ts';
import { readPart, type SizedPart } from '../upload/part.ts';

/**
 * `POST /{object}?delegate&offset=N&complete=true|false` and the parameters of a delegated PUT: the first part of a
 * payload announces its object or update; all parts are then treated like those of any other upload.
 */
export function putDelegatedPart(dependencies: GatewayDependencies, take: Intake, catchUp: CatchUp): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const delegation = await catchUp(() => admitDelegation(dependencies, c, readDelegation, signal), signal);
    if (!delegation.onChain) {
      const plan = planPayload(delegation.shape);
      checkFirst(readPart(c, plan), plan);
    }
    const incoming = async () => {
      const admitted = await delegatedJob(dependencies, delegation, signal);
      const { length, ...part } = readPart(c, planPayload(admitted.object));
      return { ...admitted, length, part };
    };
    return take(c, incoming, signal);
  };
}

/**
 * Refuses to announce an object for a part that cannot be the first of its payload: one that is repeated after the
 * seal, for example, or that comes from a client which sends the size of the part as that of the payload.
 */
function checkFirst({ firstSegment, segmentCount, complete }: SizedPart, plan: PayloadPlan): void {
  if (firstSegment > 0) {
    throw refused('The upload must begin with the part at offset 0.');
  }
  if (segmentCount < plan.segmentCount || complete) return;
  throw refused(
    `The part has ${plan.payloadSize} bytes, which is all of "payload_size", but "complete" says that more parts follow.`,
    'Send the size of the whole payload with every part, or upload it by one PUT.',
  );
}

function refused(message: string, advice?: string): Terminal {
  return new Terminal({
    code: 'bad-delegation',
    message,
    ...(advice !== undefined && { advice }),
    gatewayCode: 50010,
  });
}
