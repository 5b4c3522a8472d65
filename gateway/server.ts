import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { errorXml } from '#protocols/greenfield/gateway-errors';
import { type HttpServer, openHttpServer } from '#runtime/http/server';
import type { Logger } from '#runtime/telemetry/logger';
import type { Gateway } from './gateway.ts';

export interface ServeOptions {
  /** Interface to listen on, for example `127.0.0.1`. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** How long `close` waits for open requests before it aborts them, ms. */
  readonly closeTimeoutMs: number;
  /** Connections of one client, known by its address; without it, as many as there may be in all. */
  readonly maxPerClient?: number;
  /** Told of each request; what it returns is called once when the request has been answered, or has broken off. */
  readonly onRequest?: (request: IncomingMessage) => () => void;
  readonly log: Logger;
}

export interface RunningGateway {
  /** Where it listens. */
  readonly port: number;
  /**
   * Takes no new connections, waits for the open requests up to the limit, then aborts them. Resolves when the last
   * connection is closed; may be called more than once.
   */
  close(): Promise<void>;
}

/** More are refused by closing them at once. */
const MAX_CONNECTIONS = 10_000;

/**
 * Bytes of all headers of a request: the task that comes with a piece holds the object's name and its parameters in
 * hex, four times what Node allows by itself.
 */
const MAX_HEADER_BYTES = 65_536;

/** A client that does not get its headers out in this time is cut off, ms. */
const HEADERS_TIMEOUT_MS = 30_000;

/** Puts a gateway on a port. @throws Terminal `cannot-listen` */
export async function serveGateway(app: Gateway, options: ServeOptions): Promise<RunningGateway> {
  const { log } = options;
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    // What never reaches the app: a request without a usable Host or path.
    errorHandler: (error) => {
      log.info({ error }, 'malformed request');
      return new Response(malformed, { status: 400, headers: { 'Content-Type': 'application/xml' } });
    },
  });
  const open = new Set<ServerResponse>();
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    open.add(outgoing);
    const onEnd = options.onRequest?.(incoming);
    outgoing.once('close', () => {
      open.delete(outgoing);
      onEnd?.();
    });
    return listener(incoming, outgoing);
  };
  const { host, port } = options;
  const server = await openHttpServer({
    name: 'The gateway',
    setting: 'gateway.listen',
    host,
    port,
    handle,
    malformed: { type: 'application/xml', body: malformed },
    maxConnections: MAX_CONNECTIONS,
    ...(options.maxPerClient !== undefined && { maxPerClient: options.maxPerClient }),
    node: {
      // Uploads may take hours: Node's limit on a whole request goes, UploadBody times the client instead.
      requestTimeout: 0,
      headersTimeout: HEADERS_TIMEOUT_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // A missing Host is refused by the listener, with a body; Node would send none.
      requireHostHeader: false,
    },
    log,
  });
  let closed: Promise<void> | undefined;
  return {
    port: server.port,
    close: () => {
      closed ??= close(server, open, options.closeTimeoutMs);
      return closed;
    },
  };
}

const malformed = errorXml(50009, 'The request is not a valid HTTP/1.1 request.');

async function close(server: HttpServer, open: Set<ServerResponse>, timeoutMs: number): Promise<void> {
  const closed = server.close();
  const waiting = new AbortController();
  const limit = sleep(timeoutMs, undefined, { signal: waiting.signal }).catch(() => {});
  await Promise.race([allEnded(open), limit]);
  waiting.abort();
  server.disconnect();
  await closed;
}

/** Waits for those too that begin on a kept connection meanwhile: a Set hands them out as they are added. */
async function allEnded(open: Set<ServerResponse>): Promise<void> {
  for (const outgoing of open) await new Promise((resolve) => outgoing.once('close', resolve));
}
