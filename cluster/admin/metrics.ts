import { Hono } from 'hono';
import type { Metrics } from '#runtime/telemetry/metrics';
import type { AdminEnv } from './door/env.ts';

/** `GET /metrics`: what the node counts and times, as text for Prometheus. */
export function metricsPage(metrics: Pick<Metrics, 'text'>): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>();
  app.get('/metrics', async (c) => {
    const { body, contentType } = await metrics.text();
    return c.body(body, 200, { 'Content-Type': contentType });
  });
  return app;
}
