import type { MiddlewareHandler } from 'hono';
import type { GatewayEnv } from './context.ts';

/**
 * What a handler says nothing else of is not to be stored by caches: a cache may give an answer without any word of it
 * a lifetime of its own, and the state of an object is soon another.
 */
export const notStored: MiddlewareHandler<GatewayEnv> = async (c, next) => {
  await next();
  if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
};
