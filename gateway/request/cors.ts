import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { SIGNED_MESSAGE_HEADER } from '#protocols/greenfield/creation-approval';
import type { GatewayEnv } from './context.ts';

/** What applications may read of our responses, besides what browsers show anyway. */
const EXPOSED_HEADERS = [
  'X-Gnfd-Request-ID',
  SIGNED_MESSAGE_HEADER,
  'X-Sealion-Durability',
  'Retry-After',
  'Content-Disposition',
  'Content-Length',
  'Content-Range',
  'Accept-Ranges',
  'ETag',
];

/** How long a browser may remember a preflight's answer, seconds. */
const MAX_AGE = 24 * 3600;

/**
 * Lets applications in browsers use the gateway, and answers their preflights, unsigned. Any header may be sent, and
 * credentials of the browser never count: a request's rights are in its signature alone, so an origin gives none.
 * @param origins that may; `*` means all
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler<GatewayEnv> {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'PUT', 'POST'],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE,
  });
}
