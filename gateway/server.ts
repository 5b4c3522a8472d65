import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { errorXml } from '#protocols/greenfield/gateway-errors';
import type { CertificateFiles } from '#runtime/http/certificate';
import type { Proxies } from '#runtime/http/proxies';
import { type HttpServer, openHttpServer } from '#runtime/http/server';
import type { Logger } from '#runtime/telemetry/logger';
import { writePayload } from './download/payload-writer.ts';
import type { Gateway } from './gateway.ts';

export interface ServeOptions {
  /** Interface to listen on, for example `127.0.0.1`. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** How long `close` waits for open requests before aborting them, ms. */
  readonly closeTimeoutMs: number;
  /** Connections per client address; without it, only the total is limited. */
  readonly maxPerClient?: number;
  /** How long an idle connection is kept, ms; the default is that of `openHttpServer`. */
  readonly keepAliveMs?: number;
  /** Serves HTTPS only, with a certificate that may be renewed (`HttpServerOptions`). */
  readonly tls?: CertificateFiles;
  /** As for `openHttpServer`. */
  readonly certificateEveryMs?: number;
  /** Exempt from the limit per client, since their connections carry the requests of many. */
  readonly proxies?: Proxies;
  /**
   * Called for each request; the returned function is called once when the request has been answered or
   * interrupted.
   */
  readonly onRequest?: (request: IncomingMessage) => () => void;
  readonly log: Logger;
}

export interface RunningGateway extends Pick<HttpServer, 'port' | 'connections'> {
  /**
   * Accepts no new connections, waits for the open requests up to the limit, then aborts them. Resolves when the
   * last connection is closed; may be called more than once.
   */
  close(): Promise<void>;
}

/** Further connections are closed at once. */
const MAX_CONNECTIONS = 10_000;

/**
 * Maximum size of all headers of a request, bytes; four times Node's default, since a task of the HTTP wire contains
 * the object's name and parameters in hex.
 */
const MAX_HEADER_BYTES = 65_536;

/** Serves a gateway on a port. @throws Terminal `cannot-listen`, `bad-certificate` */
export async function serveGateway(app: Gateway, options: ServeOptions): Promise<RunningGateway> {
  const { log } = options;
  const answer = async (request: Request, env: HttpBindings) => {
    const response = await app.fetch(request, env);
    return (await writePayload(response, env.outgoing)) ? RESPONSE_ALREADY_SENT : response;
  };
  const listener = getRequestListener((request, env) => answer(request, env as HttpBindings), {
    overrideGlobalObjects: false,
    // For requests that never reach the app: those without a valid Host or path.
    errorHandler: (error) => {
      log.info({ error }, 'malformed request');
      return new Response(malformed, { status: 400, headers: { 'Content-Type': 'application/xml' } });
    },
  });
  const open = new Set<ServerResponse>();
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    open.add(outgoing);
    // The listener recognises the scheme of an absolute target only in lower case.
    incoming.url = incoming.url?.replace(/^https?:/i, (scheme) => scheme.toLowerCase());
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
    ...(options.keepAliveMs !== undefined && { keepAliveMs: options.keepAliveMs }),
    ...(options.tls && { tls: options.tls }),
    ...(options.certificateEveryMs !== undefined && { certificateEveryMs: options.certificateEveryMs }),
    ...(options.proxies && { proxies: options.proxies }),
    node: {
      maxHeaderSize: MAX_HEADER_BYTES,
      // The listener refuses a missing Host with a body, which Node would not send.
      requireHostHeader: false,
    },
    log,
  });
  let closed: Promise<void> | undefined;
  return {
    port: server.port,
    connections: server.connections,
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

/**
 * Waits for all open responses, including those that begin on an open connection in the meantime: iterating a Set also
 * yields elements added during the iteration.
 */
async function allEnded(open: Set<ServerResponse>): Promise<void> {
  for (const outgoing of open) await new Promise((resolve) => outgoing.once('close', resolve));
}
