import { Terminal } from '../errors.ts';
import { keccak256 } from './keccak.ts';
import { parseQuery, percentDecode, splitTarget } from './request-target.ts';

/** What a client signs of an HTTP request. */
export interface SignableRequest {
  readonly method: string;
  /** Path and query as they stand on the request line, percent-encoded. */
  readonly target: string;
  /** The Host header. */
  readonly host: string;
  /** All headers; those that are not signed are left out here. A `Headers` object fits. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
}

/**
 * The headers that a signature covers when they are present; host is covered apart. Content-MD5 and
 * X-Gnfd-Object-ID are documented too, but the Go gateway and SDK never take them, for reasons of spelling.
 */
const SIGNED_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'range',
  'x-gnfd-content-sha256',
  'x-gnfd-date',
  'x-gnfd-expiry-timestamp',
  'x-gnfd-piece-index',
  'x-gnfd-redundancy-index',
  'x-gnfd-resource',
  'x-gnfd-txn-hash',
  'x-gnfd-unsigned-msg',
  'x-gnfd-user-address',
]);

/**
 * The text whose keccak is signed (protocols/greenfield/README.md#request-signing).
 * @throws Terminal `bad-request-target` when the path is not percent-encoded UTF-8
 */
export function canonicalRequest(request: SignableRequest): string {
  const { path, query } = splitTarget(request.target);
  const headers = signedHeaders(request.headers);
  return [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    ...headers.map(([name, value]) => `${name}:${value}`),
    request.host,
    '',
    headers.map(([name]) => name).join(';'),
  ].join('\n');
}

/** The 32 bytes that are signed. */
export function requestDigest(request: SignableRequest): Uint8Array {
  return keccak256(canonicalRequest(request));
}

/**
 * The texts that a client may have signed: the Go SDK takes the host with its port, the JS SDK without
 * (protocols/greenfield/README.md#request-signing).
 */
export function requestDigests(request: SignableRequest): readonly Uint8Array[] {
  const withoutPort = request.host.replace(/:[0-9]+$/, '');
  const hosts = withoutPort === request.host ? [request.host] : [request.host, withoutPort];
  return hosts.map((host) => requestDigest({ ...request, host }));
}

/**
 * A pre-signed URL carries its Authorization as a query parameter, which the signature cannot cover.
 * @returns that parameter and the request as it was signed; undefined when there is no such parameter
 */
export function presignedRequest(
  request: SignableRequest,
): { readonly authorization: string; readonly request: SignableRequest } | undefined {
  const { path, query } = splitTarget(request.target);
  const [, authorization] = parseQuery(query).find(isAuthorization) ?? [];
  if (authorization === undefined) return undefined;
  const rest = query.split('&').filter((pair) => !parseQuery(pair).some(isAuthorization));
  return { authorization, request: { ...request, target: `${path}?${rest.join('&')}` } };
}

function isAuthorization([name]: readonly [name: string, value: string]): boolean {
  return name === 'Authorization';
}

/** The names in the order of their bytes, values that came in several headers joined by commas. */
function signedHeaders(headers: SignableRequest['headers']): readonly (readonly [string, string])[] {
  const values = new Map<string, string>();
  for (const [header, text] of headers) {
    const name = header.toLowerCase();
    if (!SIGNED_HEADERS.has(name)) continue;
    const value = text.trim().replace(/\s+/g, ' ');
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1));
}

function canonicalPath(path: string): string {
  const decoded = percentDecode(path);
  if (decoded !== undefined) return percentEncode(decoded, /[A-Za-z0-9\-_.~/]/);
  throw new Terminal({
    code: 'bad-request-target',
    message: 'The path of the request is not percent-encoded UTF-8.',
    gatewayCode: 50010,
  });
}

/** Sorted by the bytes of the names, each name with an `=`. */
function canonicalQuery(query: string): string {
  const pairs = new Map<string, string[]>();
  for (const [name, value] of parseQuery(query)) {
    const bytes = Buffer.from(name).toString('latin1');
    const pair = `${formEncode(name)}=${formEncode(value)}`;
    const before = pairs.get(bytes);
    if (before) before.push(pair);
    else pairs.set(bytes, [pair]);
  }
  const sorted = [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([, ofName]) => ofName).join('&');
}

function formEncode(text: string): string {
  return percentEncode(text, /[A-Za-z0-9\-_.~]/);
}

function percentEncode(text: string, kept: RegExp): string {
  if (text === '') return '';
  return Array.from(Buffer.from(text), (byte) => {
    const character = String.fromCharCode(byte);
    return byte < 0x80 && kept.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}
