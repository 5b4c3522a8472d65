import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { Proxies } from '#runtime/http/proxies';
import type { Logger } from '#runtime/telemetry/logger';
import type { GatewayContext, GatewayEnv, RequestRecord } from './context.ts';

/**
 * Assigns an id to every request, and writes one line when the request has ended. Queries are omitted: they may contain
 * signatures.
 */
export function requestLog(log: Logger, proxies = new Proxies()): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const started = performance.now();
    const { incoming } = c.env ?? {};
    const client = incoming && proxies.clientAddress(incoming);
    const record: RequestRecord = { id: randomUUID(), bytes: 0, ...(client !== undefined && { client }) };
    c.set('record', record);
    c.header('X-Gnfd-Request-ID', record.id);
    await next();
    if (record.unlogged) return;
    const { status } = c.res;
    const write = () => writeLine(log, c, status, performance.now() - started);
    if (record.sent) void record.sent.then(write);
    else write();
  };
}

function writeLine(log: Logger, c: GatewayContext, status: number, ms: number): void {
  const { id, client, bytes, failure } = c.get('record');
  const line = {
    requestId: id,
    client,
    method: c.req.method,
    ...c.get('address'),
    status,
    bytes,
    ms: Math.round(ms),
    ...(failure && { code: failure.code, reason: failure.error.code }),
  };
  if (status >= 500) log.error({ ...line, error: failure?.error }, 'request failed');
  else log.info(line, 'request');
}
