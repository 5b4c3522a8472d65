import type { IncomingMessage, ServerResponse } from 'node:http';
import { splitTarget } from '#protocols/greenfield/request-target';
import { openHttpServer } from '#runtime/http/server';
import type { Logger } from '#runtime/telemetry/logger';
import type { Ledger } from '../ledger.ts';
import { METHODS } from './methods.ts';
import { internalError, Params, RpcError } from './params.ts';

/** Maximum size of a request, bytes. */
const MAX_BODY = 1_000_000;
/** Maximum number of calls in a batch. */
const MAX_BATCH = 100;
const MAX_CONNECTIONS = 10_000;
const REQUEST_TIMEOUT_MS = 90_000;

export interface RpcServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves JSON-RPC on 127.0.0.1: POST / with one call or a batch, GET /method?name=value for use by hand.
 * @param port 0 for any free port
 * @throws Terminal `cannot-listen` when the port is taken
 */
export async function serveRpc(ledger: Ledger, port: number, log: Logger): Promise<RpcServer> {
  const server = await openHttpServer({
    name: 'The chain stand-in',
    setting: '--port',
    host: '127.0.0.1',
    port,
    handle: (request, response) => handle(ledger, request, response, log),
    malformed: { type: 'application/json', body: JSON.stringify(failure(-1, notHttp)) },
    maxConnections: MAX_CONNECTIONS,
    node: { requestTimeout: REQUEST_TIMEOUT_MS },
    log,
  });
  return {
    port: server.port,
    close: () => {
      const closed = server.close();
      server.disconnect();
      return closed;
    },
  };
}

async function handle(
  ledger: Ledger,
  request: IncomingMessage,
  response: ServerResponse,
  log: Logger,
): Promise<void> {
  if (request.method === 'GET' || request.method === 'HEAD') {
    const { path, query } = splitTarget(request.url ?? '/');
    const params = new Params(Object.fromEntries(new URLSearchParams(query)), true);
    return send(response, await answer(ledger, -1, path.slice(1), params, log));
  }
  if (request.method !== 'POST') return send(response, failure(-1, notAllowed), 405);
  const body = await readBody(request);
  if (body === undefined) return send(response, failure(-1, tooLarge), 413);
  let calls: unknown;
  try {
    calls = JSON.parse(body);
  } catch {
    return send(response, failure(-1, new RpcError(-32700, 'Parse error', 'the body is not JSON')));
  }
  if (!Array.isArray(calls)) return send(response, await answerCall(ledger, calls, log));
  if (calls.length > MAX_BATCH) return send(response, failure(-1, tooLarge), 413);
  return send(response, await Promise.all(calls.map((call) => answerCall(ledger, call, log))));
}

const notHttp = new RpcError(-32700, 'Parse error', 'the request is not HTTP');
const notAllowed = new RpcError(-32600, 'Invalid request', 'use POST or GET');
const tooLarge = new RpcError(-32600, 'Invalid request', 'the request is too large');

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function answerCall(ledger: Ledger, call: unknown, log: Logger): Promise<object> {
  const { id, method, params = {} } = (isRecord(call) ? call : {}) as Record<string, unknown>;
  const answerId = typeof id === 'number' || typeof id === 'string' ? id : -1;
  if (typeof method !== 'string') {
    return failure(answerId, new RpcError(-32600, 'Invalid request', 'there is no method'));
  }
  if (!isRecord(params)) {
    return failure(answerId, new RpcError(-32602, 'Invalid params', 'params must be an object'));
  }
  return answer(ledger, answerId, method, new Params(params, false), log);
}

async function answer(
  ledger: Ledger,
  id: number | string,
  name: string,
  params: Params,
  log: Logger,
): Promise<object> {
  const method = METHODS.get(name);
  if (!method) return failure(id, new RpcError(-32601, 'Method not found', ''));
  try {
    return { jsonrpc: '2.0', id, result: await method(ledger, params, log) };
  } catch (error) {
    if (error instanceof RpcError) return failure(id, error);
    log.error({ error, method: name }, 'an RPC method failed');
    return failure(id, internalError('see the log of the node'));
  }
}

function failure(id: number | string, { rpcCode, title, data }: RpcError): object {
  return { jsonrpc: '2.0', id, error: { code: rpcCode, message: title, data } };
}

function send(response: ServerResponse, body: object, status = 200): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    // The unread rest of a body must not be parsed as the next request.
    ...(status === 200 ? {} : { connection: 'close' }),
    // SDKs in browsers connect to a node directly.
    'access-control-allow-origin': '*',
  });
  response.end(text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
