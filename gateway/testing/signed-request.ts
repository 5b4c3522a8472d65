import { signRequest } from '#protocols/greenfield/request-signature';
import { OWNER, type Signer } from './chain.ts';

export const HOST = 'photos.sp1.localhost';

/** Fields of a request that tests may change before it is signed. */
export interface Unsigned {
  readonly method?: string;
  readonly host?: string;
  /** The signed host, if it differs from the one that is sent. */
  readonly signedHost?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly by?: Signer;
  /** ms from now. */
  readonly expiresInMs?: number;
}

/** The headers of a request signed as the SDKs do; a PUT of the object of `TestChain` by its owner by default. */
export function signedHeaders(request: Unsigned = {}): Record<string, string> {
  const { method = 'PUT', host = HOST, target = '/a.jpg', by = OWNER, expiresInMs = 60_000 } = request;
  const headers = {
    'X-Gnfd-Expiry-Timestamp': new Date(Date.now() + expiresInMs).toISOString(),
    ...request.headers,
  };
  const signable = { method, target, host: request.signedHost ?? host, headers: Object.entries(headers) };
  return { Host: host, ...headers, Authorization: signRequest(signable, by.key) };
}

/** The same as a request for `app.request`. */
export function signedRequest(
  request: Unsigned = {},
  body?: string | Uint8Array | ReadableStream<Uint8Array>,
): Request {
  const { Host, ...headers } = signedHeaders(request);
  return new Request(`http://${Host}${request.target ?? '/a.jpg'}`, {
    method: request.method ?? 'PUT',
    headers,
    // As text, the body would bring a Content-Type of its own, which is signed.
    ...(body !== undefined && { body: typeof body === 'string' ? Buffer.from(body) : body, duplex: 'half' }),
  });
}
