import type { MiddlewareHandler } from 'hono';
import type { Turns } from '#runtime/load/turns';
import type { GatewayContext, GatewayEnv } from './context.ts';
import { OBJECT } from './target.ts';

/**
 * Requests begin when it is their turn, those for one target in one line: whoever wants something else does not wait
 * for all of a crowd that wants the same. Uploads go first, from their begin to their answer.
 * @param cost of the beginning of a request, in the unit of the turns
 */
export function firstTurn(turns: Turns, cost: number): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    turns.newcomer();
    if (!isUpload(c)) {
      await turns.take('request', cost, c.req.url);
      return next();
    }
    const ended = turns.uploadBegins();
    try {
      await turns.take('upload', cost, c.req.url);
      await next();
    } finally {
      ended();
    }
  };
}

function isUpload({ req }: GatewayContext): boolean {
  return req.path === OBJECT && (req.method === 'PUT' || req.method === 'POST');
}
