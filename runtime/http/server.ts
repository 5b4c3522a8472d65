import {
  // biome-ignore lint/style/noRestrictedImports: this is the one place that makes HTTP servers.
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
// biome-ignore lint/style/noRestrictedImports: as above.
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Terminal } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';
import type { Bound } from '../telemetry/sizes.ts';
import { type CertificateFiles, describe, followCertificate, readCertificate } from './certificate.ts';
import { Exchanges } from './exchanges.ts';
import { clientOf } from './hosts.ts';
import type { Proxies } from './proxies.ts';

const KEEP_ALIVE_MS = 75_000;
/** The time for the headers of a request is longer than that of an idle connection by this at most, ms. */
const HEADERS_AFTER_MS = 5_000;
/** How often connections are looked through for headers that are overdue, ms; Node would do it every 30 s. */
const CHECK_EVERY_MS = 5_000;

/** Time limit for a TLS handshake, ms. */
const HANDSHAKE_MS = 20_000;

/** Answers a request. An error that it throws is logged, and closes the connection. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface HttpServerOptions {
  /** Name of the service, to begin an error message with, for example `The gateway`. */
  readonly name: string;
  /** The setting of address and port, for the advice when the server cannot listen on them. */
  readonly setting: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly handle: HttpHandler;
  /** The answer to bytes that are not HTTP. */
  readonly malformed: { readonly type: string; readonly body: string };
  /** Connections beyond this number are closed at once. */
  readonly maxConnections: number;
  /** Connections of one client (`clientOf`) beyond this number are closed at once; no limit if 0 or absent. */
  readonly maxPerClient?: number;
  /** How long an idle connection is kept, ms; 75 s by default, which is longer than proxies keep theirs. */
  readonly keepAliveMs?: number;
  /** Serves HTTPS only. A changed certificate is used for new connections; open ones keep theirs. */
  readonly tls?: CertificateFiles;
  /** Interval of checking the certificate's files, ms; 10 s by default. */
  readonly certificateEveryMs?: number;
  /** Exempt from the limit per client, since their connections carry the requests of many. */
  readonly proxies?: Proxies;
  /** Further options of Node's server. */
  readonly node?: ServerOptions;
  readonly log: Logger;
}

export interface HttpServer {
  readonly port: number;
  /** How many connections are open, and how many may be. */
  readonly connections: Pick<Bound, 'used' | 'limit'>;
  /** Accepts no new connections. Resolves when the last one is closed; may be called more than once. */
  close(): Promise<void>;
  /** Closes all connections, even those with open requests. */
  disconnect(): void;
}

/**
 * Opens an HTTP server. All servers of this code base are opened here, because here neither input from a connection nor
 * a handler can throw an error out of one of Node's callbacks, which would end the process.
 * @throws Terminal `cannot-listen`, `bad-certificate`
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { log, malformed, maxConnections, keepAliveMs = KEEP_ALIVE_MS } = options;
  const exchanges = new Exchanges();
  const handle = guarded(options.handle, exchanges, options);
  const timeouts = {
    keepAliveTimeout: keepAliveMs,
    headersTimeout: keepAliveMs + Math.min(HEADERS_AFTER_MS, keepAliveMs),
    connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, keepAliveMs),
  };
  // Uploads may take hours, so there is no limit for a whole request unless a server sets one.
  const settings = { requestTimeout: 0, ...timeouts, ...options.node };
  const { server, unfollow } = options.tls
    ? await secureServer(options.tls, settings, handle, options)
    : { server: createServer(settings, handle), unfollow: () => {} };
  const sockets = new Set<Socket>();
  server.maxConnections = maxConnections;
  // The total size of headers is bounded; a maximum number would make Node drop further ones silently.
  server.maxHeadersCount = 0;
  // A client that closes its side after its request still gets the answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('checkContinue', handle);
  // Other expectations may be ignored (RFC 9110 §10.1.1); Node would refuse them without a body.
  server.on('checkExpectation', handle);
  server.on('clientError', (error, socket) => refuse(error, socket, exchanges, malformed));
  // Node reports a client that closes its side within a request, but not within one that asks for an upgrade.
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) =>
    socket.once('end', () => {
      if (exchanges.isWithinRequest(socket)) refuse(new Error('cut off'), socket, exchanges, malformed);
    }),
  );
  if (options.maxPerClient) server.on('connection', boundPerClient(options.maxPerClient, options.proxies));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, options).catch((error: unknown) => {
    unfollow();
    throw error;
  });
  // Too few file descriptors for another connection, for example.
  server.on('error', (error) => log.error({ error }, 'the listening socket failed'));
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    connections: { used: () => sockets.size, limit: () => maxConnections },
    close: () => {
      unfollow();
      closed ??= new Promise<void>((resolve) => server.close(() => resolve()));
      return closed;
    },
    // Includes those in the TLS handshake, which Node's own closeAllConnections misses.
    disconnect: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function secureServer(
  files: CertificateFiles,
  settings: ServerOptions,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  { certificateEveryMs, log }: HttpServerOptions,
): Promise<{ readonly server: SecureServer; readonly unfollow: () => void }> {
  const first = await readCertificate(files);
  const server = createSecureServer({ ...settings, ...first, handshakeTimeout: HANDSHAKE_MS }, handle);
  // A failed handshake gets no answer: Node reports it as a `clientError`, whose listener would send one.
  server.prependListener('tlsClientError', (_, socket) => socket.destroy());
  log.info(describe(first, files), 'serving HTTPS');
  const unfollow = followCertificate(files, first, (next) => server.setSecureContext(next), {
    ...(certificateEveryMs !== undefined && { everyMs: certificateEveryMs }),
    log,
  });
  return { server, unfollow };
}

/** Limits the connections per client: otherwise one client could use all that the server accepts. */
function boundPerClient(limit: number, proxies?: Proxies): (socket: Socket) => void {
  const open = new Map<string, number>();
  return (socket) => {
    const address = socket.remoteAddress ?? '';
    if (proxies?.has(address)) return;
    const client = clientOf(address);
    const count = (open.get(client) ?? 0) + 1;
    if (count > limit) {
      socket.destroy();
      return;
    }
    open.set(client, count);
    socket.once('close', () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left > 0) open.set(client, left);
      else open.delete(client);
    });
  };
}

function guarded(handle: HttpHandler, exchanges: Exchanges, { log, malformed }: HttpServerOptions) {
  const answer = async (request: IncomingMessage, response: ServerResponse) => handle(request, response);
  return (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', (error) => log.debug({ error }, 'a response was cut off'));
    exchanges.begin(request, response);
    const refusal = refusalOf(request);
    if (refusal) {
      response.shouldKeepAlive = false;
      response.writeHead(refusal, headersOf(malformed)).end(malformed.body);
      return;
    }
    if (hasNeedlessBody(request)) {
      // Nobody reads this body, and it must not keep the connection open.
      response.shouldKeepAlive = false;
      request.resume();
    }
    answer(request, response).catch((error: unknown) => {
      if (request.socket.destroyed) log.debug({ error }, 'a client disconnected before it was answered');
      else log.error({ error }, 'a request could not be answered');
      response.destroy();
    });
  };
}

/** The status for a request that Node can read, but that HTTP/1.1 (RFC 9112 §2.3, §3.2, §6.1) has us refuse. */
function refusalOf(request: IncomingMessage): number | undefined {
  const { httpVersionMajor, httpVersionMinor, headers, headersDistinct } = request;
  if (httpVersionMajor !== 1) return 505;
  // Whoever passed it on may not have known the coding, and so have framed it otherwise.
  if (httpVersionMinor === 0 && headers['transfer-encoding'] !== undefined) return 400;
  if ((headersDistinct.host?.length ?? 0) > 1) return 400;
  // Only the framing is removed; another coding around the payload would be stored as a part of it.
  const coding = headers['transfer-encoding']?.trim().toLowerCase() ?? 'chunked';
  return coding === 'chunked' ? undefined : 501;
}

function hasNeedlessBody({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function headersOf({ type, body }: HttpServerOptions['malformed']) {
  return { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
}

/** What Node's errors say of a request that it could not read, where that is more than that. */
const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_VERSION: 505,
  HPE_PAUSED_H2_UPGRADE: 505,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers bytes that are not HTTP in a form that clients can read. */
function refuse(
  error: NodeJS.ErrnoException,
  socket: Duplex,
  exchanges: Exchanges,
  malformed: HttpServerOptions['malformed'],
): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = STATUS_OF[error.code ?? ''] ?? 400;
  const head = Object.entries({ ...headersOf(malformed), Connection: 'close' })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  exchanges.refuse(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${malformed.body}`);
}

function listen(
  server: Server | SecureServer,
  { name, setting, host, port }: HttpServerOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(
        new Terminal({
          code: 'cannot-listen',
          message: `${name} cannot listen on ${host}:${port}: ${cause.message}.`,
          advice: `Choose a free port and an address of this machine for ${setting}.`,
          cause,
        }),
      );
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve();
    });
  });
}
