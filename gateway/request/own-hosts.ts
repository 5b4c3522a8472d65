import type { Socket } from 'node:net';
import { Terminal } from '#protocols/errors';
import { parseEndpoint } from '#runtime/http/endpoints';
import { hostName, isAddressOf } from '#runtime/http/hosts';
import type { GatewayDependencies } from '../dependencies.ts';

/**
 * Lets through what is sent to this provider. A signature covers the host but names no provider, so a request that
 * was signed for another, or for a name that anybody could have, must not count here.
 * @param socket on which the request came; none in memory
 * @throws Terminal 400/50009; what the chain throws
 */
export type HostCheck = (host: string, socket: Socket | undefined) => Promise<void>;

/**
 * Ours are the configured domains and all below them, the addresses that the node listens on, and the endpoint that
 * the chain names.
 */
export function ownHosts({
  chain,
  spId,
  domains,
  anyHost,
}: Pick<GatewayDependencies, 'chain' | 'spId' | 'domains' | 'anyHost'>): HostCheck {
  return async (header, socket) => {
    if (anyHost) return;
    const host = hostName(header);
    if (host !== undefined) {
      if (domains.some((domain) => host === domain || host.endsWith(`.${domain}`))) return;
      if (socket && isAddressOf(socket, host)) return;
      const own = (await chain.storageProviders()).find(({ id }) => id === spId);
      if (hostName(parseEndpoint(own?.endpoint ?? '')?.host ?? '') === host) return;
    }
    throw new Terminal({
      code: 'unknown-host',
      message: `This storage provider does not serve host "${header.slice(0, 255)}".`,
      advice: 'Use its endpoint. Its operator can add host names to gateway.domains.',
      gatewayCode: 50009,
    });
  };
}
