import type { MiddlewareHandler } from 'hono';
import { locate, readAddress, readTarget, type Target } from './address.ts';
import type { GatewayEnv } from './context.ts';

/** Operations on an object are routed under this path, whatever host and path name the object. */
export const OBJECT = '/object';

/**
 * The path for hono's router: `/object`, one of Greenfield's own paths, or `/`, which has no routes, for everything
 * else. The real path cannot be used, since host and path name a bucket and an object together, and a name may contain
 * any characters.
 */
export function pathToRoute(domains: readonly string[]) {
  return (request: Request, options?: { readonly env?: GatewayEnv['Bindings'] }): string => {
    const address = locate(targetOf(request, options?.env), domains);
    if (address?.service !== undefined) return `/${address.service}`;
    return address?.object ? OBJECT : '/';
  };
}

/** Reads the target of the request, for all later steps. */
export const target: MiddlewareHandler<GatewayEnv> = async (c, next) => {
  c.set('target', targetOf(c.req.raw, c.env));
  await next();
};

/** Reads the bucket and object that the request names, for all later steps. @throws as `readAddress` */
export function address(domains: readonly string[]): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    c.set('address', readAddress(c.get('target'), domains));
    await next();
  };
}

/** The target as the client wrote it: a parsed URL lacks the signed host and dots. */
function targetOf(request: Request, env: GatewayEnv['Bindings'] | undefined): Target {
  const incoming = env?.incoming;
  if (incoming) return readTarget(incoming.headers.host ?? '', incoming.url ?? '/');
  const url = new URL(request.url);
  return readTarget(request.headers.get('host') ?? url.host, url.pathname + url.search);
}
