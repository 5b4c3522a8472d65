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
import { type CertificateFiles, describe, followCertificate, readCertificate } from './certificate.ts';
import { Exchanges } from './exchanges.ts';
import { clientOf } from './hosts.ts';
import type { Proxies } from './proxies.ts';

const KEEP_ALIVE_MS = 75_000;
/** The time for the headers of a request is longer than that of an idle connection by this at most, ms. */
const HEADERS_AFTER_MS = 5_000;
/** How often connections are looked through for headers that are overdue, ms; Node would do it every 30 s. */
const CHECK_EVERY_MS = 5_000;

/** A client that has not shaken hands in this time is cut off, ms. */
const HANDSHAKE_MS = 20_000;

/** Answers a request. What it throws or rejects with is logged, and ends that one connection. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface HttpServerOptions {
  /** What is served, as the subject of a sentence, for example `The gateway`. */
  readonly name: string;
  /** The setting that names address and port, for the advice when they cannot be had. */
  readonly setting: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly handle: HttpHandler;
  /** The answer to bytes that are not HTTP. */
  readonly malformed: { readonly type: string; readonly body: string };
  /** More connections are closed at once. */
  readonly maxConnections: number;
  /** More of one client (`clientOf`) are closed at once; 0, or none, stands for no limit. */
  readonly maxPerClient?: number;
  /** How long a connection without requests is kept, ms; 75 s without it, longer than proxies keep theirs. */
  readonly keepAliveMs?: number;
  /** Serves HTTPS alone. The files are followed when they change; connections that are open keep what they have. */
  readonly tls?: CertificateFiles;
  /** How often the files are looked at, ms; every 10 s without it. */
  readonly certificateEveryMs?: number;
  /** Their connections carry the requests of many clients, and count for none. */
  readonly proxies?: Proxies;
  /** Node's own settings, where its defaults do not fit. */
  readonly node?: ServerOptions;
  readonly log: Logger;
}

export interface HttpServer {
  readonly port: number;
  /** Takes no new connections. Resolves when the last one is closed; may be called more than once. */
  close(): Promise<void>;
  /** Ends all connections, whatever is under way on them. */
  disconnect(): void;
}

/**
 * Opens an HTTP server, the only way in which this code base does: nothing that comes over a connection, and nothing
 * that a handler does with it, can throw out of a callback of Node and so end the process.
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
  // The size of all headers is bounded; Node would drop those above a number without a word.
  server.maxHeadersCount = 0;
  // A client that has said all it has to say may close its side, and still gets its answer.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('checkContinue', handle);
  // Other expectations may be ignored (RFC 9110 §10.1.1); Node would refuse them without a body.
  server.on('checkExpectation', handle);
  server.on('clientError', (error, socket) => refuse(error, socket, exchanges, malformed));
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
    close: () => {
      unfollow();
      closed ??= new Promise<void>((resolve) => server.close(() => resolve()));
      return closed;
    },
    // Those too that are still shaking hands, which Node's own closeAllConnections does not know.
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
  // Whoever cannot shake hands gets no answer: Node would have it written into the connection as a `clientError`.
  server.prependListener('tlsClientError', (_, socket) => socket.destroy());
  log.info(describe(first, files), 'serving HTTPS');
  const unfollow = followCertificate(files, first, (next) => server.setSecureContext(next), {
    ...(certificateEveryMs !== undefined && { everyMs: certificateEveryMs }),
    log,
  });
  return { server, unfollow };
}

/** Without it one client could hold all connections that the server takes. */
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
      // Nobody reads it, and it must not hold the connection.
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
function refusalOf({ httpVersionMajor, headers, headersDistinct }: IncomingMessage): number | undefined {
  if (httpVersionMajor !== 1) return 505;
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

/** Bytes that are no HTTP at all still get an answer that a client can read. */
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
