import type { Context } from 'hono';
import { printableJson } from '#runtime/telemetry/printable';

/** JSON that is safe to show in a terminal. */
export function json<T>(c: Context, value: T, status: 200 | 202 = 200) {
  return c.body(`${printableJson(value)}\n`, status, { 'Content-Type': 'application/json' });
}
