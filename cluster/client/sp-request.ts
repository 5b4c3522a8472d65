import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Cancelled, Retryable, type SealionError } from '#protocols/errors';
import { signRequest } from '#protocols/greenfield/request-signature';
import { lookupLoopback } from '#runtime/http/endpoints';
import { refusal, text } from './sp-answers.ts';

/** An object at a storage provider. */
export interface ObjectAddress {
  readonly bucketName: string;
  readonly objectName: string;
}

/** A request to a provider about an object. */
export interface Call {
  readonly method: 'PUT' | 'POST' | 'GET';
  readonly address: ObjectAddress;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
}

/** Validity of a signed request, ms. */
const EXPIRY_MS = 3_600_000;

/**
 * Sends one request to a provider, signed with an account's key.
 * @throws the provider's error, as converted by `refusal`; Retryable `sp-unreachable`; Cancelled
 */
export async function requestSigned(
  endpoint: URL,
  privateKey: Uint8Array,
  call: Call,
  signal: AbortSignal | undefined,
): Promise<http.IncomingMessage> {
  const { address, method } = call;
  const path = [address.bucketName, ...address.objectName.split('/')].map(encodeSegment).join('/');
  const target = `/${path}${call.query ? `?${call.query}` : ''}`;
  const now = Date.now();
  const headers = {
    ...call.headers,
    host: endpoint.host,
    'x-gnfd-date': rfc3339(now),
    'x-gnfd-expiry-timestamp': rfc3339(now + EXPIRY_MS),
  };
  const signable = { method, target, host: endpoint.host, headers: Object.entries(headers) };
  const authorization = signRequest(signable, privateKey);
  const response = await send(endpoint, { ...call, target, headers: { ...headers, authorization } }, signal);
  if (response.statusCode === 200 || response.statusCode === 206) return response;
  throw refusal(response.statusCode ?? 0, await text(response));
}

type Outgoing = Call & { readonly target: string; readonly headers: Readonly<Record<string, string>> };

function send(endpoint: URL, call: Outgoing, signal: AbortSignal | undefined): Promise<http.IncomingMessage> {
  return new Promise<http.IncomingMessage>((resolve, reject) => {
    const { request } = endpoint.protocol === 'https:' ? https : http;
    const outgoing = request({
      host: endpoint.hostname,
      ...(endpoint.port && { port: endpoint.port }),
      method: call.method,
      path: call.target,
      headers: call.headers,
      lookup: lookupLoopback,
      ...(signal ? { signal } : {}),
    });
    outgoing.once('response', resolve);
    outgoing.once('error', (cause) => reject(unreachable(endpoint, cause, signal)));
    if (!call.body) {
      outgoing.end();
      return;
    }
    // A provider that refuses early answers before it has read the body: the answer counts, not the broken pipe.
    pipeline(Readable.from(call.body, { objectMode: false }), outgoing).catch((cause) => {
      if (!outgoing.destroyed) outgoing.destroy();
      setImmediate(() => reject(unreachable(endpoint, cause, signal)));
    });
  });
}

/** Converts an error of the connection into our taxonomy. */
export function unreachable(endpoint: URL, cause: Error, signal: AbortSignal | undefined): SealionError {
  if (signal?.aborted) return new Cancelled({ code: 'aborted', message: 'The request was aborted.', cause });
  return new Retryable({
    code: 'sp-unreachable',
    message: `The storage provider at ${endpoint.origin} cannot be reached: ${cause.message}.`,
    advice: 'Check that it runs and that the address is right.',
    cause,
  });
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
