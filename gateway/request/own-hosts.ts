import type { MiddlewareHandler } from 'hono';
import { Terminal } from '#protocols/errors';
import { parseEndpoint } from '#runtime/http/endpoints';
import { hostName, isAddressOf } from '#runtime/http/hosts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { GatewayContext, GatewayEnv } from './context.ts';

type Dependencies = Pick<GatewayDependencies, 'chain' | 'spId' | 'domains' | 'anyHost'>;

/**
 * Accepts only requests for this provider. A signature covers the host but names no provider, so a request signed for
 * another provider, or for a name that anybody could own, must not count here.
 * @throws Terminal 400/50009; as the chain
 */
export function ownHosts(dependencies: Dependencies): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    if (!dependencies.anyHost && !(await isOwn(c, dependencies))) throw unknownHost(c.get('target').host);
    await next();
  };
}

/**
 * True for the configured domains and all names below them, the addresses that the node listens on, and the endpoint
 * that is registered on chain.
 */
async function isOwn(c: GatewayContext, { chain, spId, domains }: Dependencies): Promise<boolean> {
  const host = hostName(c.get('target').host);
  if (host === undefined) return false;
  if (domains.some((domain) => host === domain || host.endsWith(`.${domain}`))) return true;
  const socket = c.env?.incoming?.socket;
  if (socket && isAddressOf(socket, host)) return true;
  const own = (await chain.storageProviders()).find(({ id }) => id === spId);
  return hostName(parseEndpoint(own?.endpoint ?? '')?.host ?? '') === host;
}

function unknownHost(host: string): Terminal {
  return new Terminal({
    code: 'unknown-host',
    message: `This storage provider does not serve host "${host.slice(0, 255)}".`,
    advice: 'Use its endpoint. Its operator can add host names to gateway.domains.',
    gatewayCode: 50009,
  });
}
