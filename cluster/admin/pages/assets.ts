import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { Terminal } from '#protocols/errors';
import type { AdminEnv } from '../door/env.ts';

/** They are in the package as they are written: nothing is built. This module runs in dist/. */
const FOLDER = new URL('../../../../cluster/admin/pages/assets/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  'style.css': 'text/css; charset=utf-8',
  'live.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
};

interface Asset {
  readonly body: string;
  readonly type: string;
  readonly tag: string;
}

/** Style sheet, script and icon of the pages, below `/assets/`. Browsers ask each time whether they have changed. */
export async function assets(): Promise<Hono<AdminEnv>> {
  const files = new Map<string, Asset>();
  for (const [name, type] of Object.entries(TYPES)) {
    const body = await readFile(new URL(name, FOLDER), 'utf8');
    files.set(name, { body, type, tag: `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"` });
  }
  const app = new Hono<AdminEnv>();
  app.get('/assets/:name', (c) => {
    const asset = files.get(c.req.param('name'));
    if (!asset) throw new Terminal({ code: 'not-found', message: 'There is nothing at this address.' });
    const headers = { ETag: asset.tag, 'Cache-Control': 'private, no-cache' };
    if (c.req.header('if-none-match') === asset.tag) return c.body(null, 304, headers);
    return c.body(asset.body, 200, { ...headers, 'Content-Type': asset.type });
  });
  return app;
}
