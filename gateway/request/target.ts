import type { MiddlewareHandler } from 'hono';
import { locate, readAddress, readTarget, type Target } from './address.ts';
import type { GatewayEnv } from './context.ts';

/** What can be asked of an object is routed under this path, whatever host or path names the object. */
export const OBJECT = '/object';

/**
 * The path that hono's router gets, since host and path name a bucket and an object together, and a name may have any
 * characters: `/object`, one of Greenfield's own paths, or `/`, which has no routes, for all else.
 */
export function pathToRoute(domains: readonly string[]) {
  return (request: Request, options?: { readonly env?: GatewayEnv['Bindings'] }): string => {
    const address = locate(targetOf(request, options?.env), domains);
    if (address?.service !== undefined) return `/${address.service}`;
    return address?.object ? OBJECT : '/';
  };
}

/** Reads where the request points, for all that come after. */
export const target: MiddlewareHandler<GatewayEnv> = async (c, next) => {
  c.set('target', targetOf(c.req.raw, c.env));
  await next();
};

/** Reads which bucket and object the request names, for all that come after. @throws as `readAddress` */
export function address(domains: readonly string[]): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    c.set('address', readAddress(c.get('target'), domains));
    await next();
  };
}

/** As the client wrote it: a parsed URL has lost the host and the dots that were signed. */
function targetOf(request: Request, env: GatewayEnv['Bindings'] | undefined): Target {
  const incoming = env?.incoming;
  if (incoming) return readTarget(incoming.headers.host ?? '', incoming.url ?? '/');
  const url = new URL(request.url);
  return readTarget(request.headers.get('host') ?? url.host, url.pathname + url.search);
}
