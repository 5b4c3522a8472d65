import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { type HttpServer, openHttpServer } from '#runtime/http/server';
import type { Logger } from '#runtime/telemetry/logger';
import type { AdminEnv } from './door/env.ts';

/** Where the admin server listens. */
export interface AdminAddress {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

export interface AdminServer extends Pick<HttpServer, 'port' | 'connections'> {
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 256;
const MALFORMED = '{"code":"bad-request"}';

/** Serves the admin app on a port. @throws Terminal `cannot-listen` */
export async function serveAdmin(
  app: Hono<AdminEnv>,
  { host, port }: AdminAddress,
  log: Logger,
): Promise<AdminServer> {
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    // For requests that never reach the app: those without a valid Host or path.
    errorHandler: (error) => {
      log.debug({ error }, 'malformed request to the admin server');
      return new Response(MALFORMED, { status: 400, headers: { 'Content-Type': 'application/json' } });
    },
  });
  const server = await openHttpServer({
    name: 'The admin server',
    setting: 'admin.listen',
    host,
    port,
    handle: (incoming, outgoing) => {
      // The listener recognises the scheme of an absolute target only in lower case.
      incoming.url = incoming.url?.replace(/^https?:/i, (scheme) => scheme.toLowerCase());
      return listener(incoming, outgoing);
    },
    malformed: { type: 'application/json', body: MALFORMED },
    maxConnections: MAX_CONNECTIONS,
    log,
  });
  return {
    port: server.port,
    connections: server.connections,
    close: () => {
      const closed = server.close();
      server.disconnect();
      return closed;
    },
  };
}
