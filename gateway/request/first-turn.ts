import type { MiddlewareHandler } from 'hono';
import type { Turns } from '#runtime/load/turns';
import type { GatewayEnv } from './context.ts';

/**
 * Requests begin when it is their turn, those for one target in one line: whoever wants something else does not wait
 * for all of a crowd that wants the same.
 * @param cost of the beginning of a request, in the unit of the turns
 */
export function firstTurn(turns: Turns, cost: number): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    turns.newcomer();
    await turns.take('request', cost, c.req.url);
    await next();
  };
}
