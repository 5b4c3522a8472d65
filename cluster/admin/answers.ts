import type { Context } from 'hono';
import { printableJson } from '#runtime/telemetry/printable';

/** JSON that is safe to show in a terminal. */
export function json<T>(c: Context, value: T) {
  c.header('Content-Type', 'application/json');
  return c.body(`${printableJson(value)}\n`);
}
