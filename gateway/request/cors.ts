import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { SIGNED_MESSAGE_HEADER } from '#protocols/greenfield/creation-approval';
import type { GatewayEnv } from './context.ts';

/** Response headers that applications may read, besides those that browsers show anyway. */
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
 * Lets applications in browsers use the gateway, and answers their preflight requests, which are unsigned. Any header
 * may be sent, and credentials of the browser never count: permission depends on the signature alone, so an origin
 * grants nothing.
 * @param origins allowed origins; `*` means all
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler<GatewayEnv> {
  return cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'PUT', 'POST'],
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: MAX_AGE,
  });
}
