import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { Agent as HttpsAgent, request as requestTls } from 'node:https';
import { Cancelled, Retryable, SealionError, throwIfAborted } from '#protocols/errors';
import { withDeadline } from '../../async/with-deadline.ts';
import { parseEndpoint, type Reach, reach } from '../../http/endpoints.ts';

export interface HttpCall {
  readonly method: 'GET' | 'PUT';
  /** Endpoint of the SP on chain. */
  readonly endpoint: string;
  /** Path below the endpoint, beginning with `/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Maximum length of the answer, bytes; short by default, since only pieces are long. */
  readonly maxAnswer?: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
  /** The answer as text; empty when bytes were requested and have arrived. */
  readonly body: string;
}

/** Maximum number of connections to one SP; further calls wait. */
const SOCKETS_PER_SP = 32;
/** Maximum number of idle connections to one SP that are kept. */
const IDLE_SOCKETS_PER_SP = 4;
/** Default of `maxAnswer`. */
const MAX_ANSWER_BYTES = 65_536;

/**
 * The HTTP connections of this node to the gateways of other SPs. The addresses come from those SPs, over the chain, so
 * only public addresses are connected to, unless private endpoints are allowed, and redirects are not followed.
 */
export class HttpLinks {
  readonly #reach: Reach;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  readonly #closing = new AbortController();

  constructor(options: { readonly allowPrivateEndpoints: boolean }) {
    this.#reach = reach({ allowPrivate: options.allowPrivateEndpoints });
    const bounds = { keepAlive: true, maxSockets: SOCKETS_PER_SP, maxFreeSockets: IDLE_SOCKETS_PER_SP };
    this.#http = new HttpAgent(bounds);
    this.#https = new HttpsAgent(bounds);
    // Every call in progress adds a listener.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * Sends a request and reads the whole answer, whatever its status.
   * @param timeoutMs from the call to the last byte of the answer
   * @throws Retryable `peer-unreachable`, `private-endpoint`; Cancelled when a signal fires
   */
  async call(
    call: HttpCall,
    options: { readonly timeoutMs: number; readonly signals: readonly (AbortSignal | undefined)[] },
  ): Promise<HttpAnswer> {
    const { timeoutMs } = options;
    const signals = [this.#closing.signal, ...options.signals];
    for (const signal of signals) throwIfAborted(signal);
    const url = below(call);
    this.#reach.checkHost(url.hostname);
    return withDeadline(timeoutMs, signals, async (signal) => {
      try {
        const response = await this.#send(url, call, signal);
        const bytes = await read(response, Math.max(call.maxAnswer ?? 0, MAX_ANSWER_BYTES));
        const { statusCode: status = 0, headers } = response;
        return {
          status,
          headers,
          bytes,
          body: status === 200 && call.maxAnswer ? '' : bytes.toString('utf8'),
        };
      } catch (cause) {
        for (const source of signals) throwIfAborted(source);
        if (cause instanceof SealionError) throw cause;
        throw unreachable(
          call.endpoint,
          signal.aborted ? `no answer within ${timeoutMs} ms` : `${cause}`,
          cause,
        );
      }
    });
  }

  /** Aborts all calls in progress, and closes the connections. */
  close(): void {
    this.#closing.abort(new Cancelled({ code: 'peers-closed', message: 'This node is shutting down.' }));
    this.#http.destroy();
    this.#https.destroy();
  }

  #send(url: URL, call: HttpCall, signal: AbortSignal): Promise<IncomingMessage> {
    const tls = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const outgoing = (tls ? requestTls : request)(url, {
        method: call.method,
        agent: tls ? this.#https : this.#http,
        headers: {
          ...call.headers,
          ...(call.method === 'PUT' && { 'content-length': call.body?.length ?? 0 }),
        },
        lookup: this.#reach.lookup,
        signal,
      });
      outgoing.once('response', resolve);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        // The other end closed a kept connection at the moment in which it was reused.
        if (outgoing.reusedSocket && error.code === 'ECONNRESET') resolve(this.#send(url, call, signal));
        else reject(error);
      });
      outgoing.end(call.body);
    });
  }
}

function below({ endpoint, path }: HttpCall): URL {
  const url = parseEndpoint(endpoint);
  if (!url) throw unreachable(endpoint, 'it is not the URL of a gateway');
  url.pathname = (url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname) + path;
  return url;
}

async function read(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return Buffer.concat(chunks);
}

function unreachable(endpoint: string, why: string, cause?: unknown): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: `The gateway at ${endpoint} cannot be reached: ${why}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
