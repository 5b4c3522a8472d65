import type { MiddlewareHandler } from 'hono';
import { TRACEPARENT, type Traces } from '#runtime/telemetry/traces';
import type { GatewayEnv } from './context.ts';

/** A span for each request, in the trace of its client if it has one. */
export function traced(traces: Traces): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const { method } = c.req;
    const span = traces.root(method, {
      parent: c.req.header(TRACEPARENT),
      attributes: { 'http.request.method': method },
    });
    if (span.traceparent !== undefined) c.set('trace', span.traceparent);
    await next();
    const operation = c.get('operation');
    if (operation !== undefined) span.rename(`${method} ${operation}`);
    const { failure, sent } = c.get('record');
    span.set({ 'http.response.status_code': c.res.status });
    const end = () => span.end({ error: failure?.error.code });
    if (sent) void sent.then(end);
    else end();
  };
}
