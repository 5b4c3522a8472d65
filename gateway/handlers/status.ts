import type { GatewayParts } from '../parts.ts';
import { clientSignal, type Handler } from '../request.ts';

/** `GET /status`: which provider this is, and of which chain; what of today's form concerns us, as JSON. */
export function status({ chain, spId, domains }: GatewayParts): Handler {
  return async (c) => {
    const providers = await chain.storageProviders({ signal: clientSignal(c) });
    return c.json({
      status: {
        storage_provider_info: {
          sp_operator_address: providers.find(({ id }) => id === spId)?.operatorAddress ?? '',
          sp_domain_name: domains[0] ?? '',
        },
        chain_info: { chain_id: chain.chainId },
      },
    });
  };
}
