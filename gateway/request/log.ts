import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { Proxies } from '#runtime/http/proxies';
import type { Logger } from '#runtime/telemetry/logger';
import { Metrics } from '#runtime/telemetry/metrics';
import type { GatewayContext, GatewayEnv, RequestRecord } from './context.ts';

/**
 * Assigns an id to every request; when it has ended, it is counted, and one line is written. Queries are omitted: they may
 * contain signatures.
 */
export function requestLog(
  log: Logger,
  proxies = new Proxies(),
  metrics = new Metrics(),
): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const started = performance.now();
    const { incoming } = c.env ?? {};
    const client = incoming && proxies.clientAddress(incoming);
    const record: RequestRecord = { id: randomUUID(), bytes: 0, ...(client !== undefined && { client }) };
    c.set('record', record);
    c.header('X-Gnfd-Request-ID', record.id);
    await next();
    const { status } = c.res;
    const write = () => {
      const ms = performance.now() - started;
      measure(metrics, c, status, ms);
      if (!record.unlogged) writeLine(log, c, status, ms);
    };
    if (record.sent) void record.sent.then(write);
    else write();
  };
}

/** Operations in which clients send payload, and in which they are sent some. */
const DIRECTIONS: Readonly<Record<string, 'in' | 'out'>> = {
  putObject: 'in',
  putPart: 'in',
  putDelegated: 'in',
  putDelegatedPart: 'in',
  getObject: 'out',
  viewObject: 'out',
  downloadObject: 'out',
};

function measure(metrics: Metrics, c: GatewayContext, status: number, ms: number): void {
  const { bytes, failure } = c.get('record');
  const operation = c.get('operation') ?? 'none';
  metrics.requests.of(operation, status).inc();
  metrics.requestSeconds.of(operation).observe(ms / 1_000);
  if (failure) metrics.errors.of('gateway', failure.error.code).inc();
  const direction = DIRECTIONS[operation];
  if (direction) metrics.clientBytes.of(direction).inc(bytes);
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
