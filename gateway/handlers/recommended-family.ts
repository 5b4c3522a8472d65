import { authenticate } from '../access/authentication.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { xmlElements, xmlResponse } from '../request/xml.ts';
import type { FamilyChoice } from '../upload/family-choice.ts';

/** `GET /greenfield/admin/v1/get-recommended-vgf`: the family that a new bucket of this provider should have. */
export function recommendedFamily({ offChainKeys }: GatewayDependencies, families: FamilyChoice): Handler {
  return async (c) => {
    await authenticate(offChainKeys, c);
    const Id = await families(clientSignal(c));
    return xmlResponse(c, `<VirtualGroupFamily>${xmlElements({ Id })}</VirtualGroupFamily>`);
  };
}
