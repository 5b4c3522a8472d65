import fc from 'fast-check';
import { signRequest } from '#protocols/greenfield/request-signature';
import { OWNER, STRANGER } from './chain.ts';
import { HOST } from './signed-request.ts';
import type { RawRequest } from './wire.ts';

/** Generates requests that no well-meaning client sends, mixed with normal ones. */

type Header = readonly [name: string, value: string];

/** Bytes of the payload that was announced on chain. */
const PAYLOAD = '0123456789';

/** Three of four values are usual: a request with many oddities would always be refused by the first check. */
function mostly<T>(usual: fc.Arbitrary<T>, ...unusual: fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  return fc.oneof({ weight: 3 * unusual.length, arbitrary: usual }, ...unusual);
}

const method = mostly(
  fc.constantFrom('PUT', 'PUT', 'GET', 'POST', 'HEAD'),
  fc.constantFrom('OPTIONS', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'M-SEARCH', 'QUERY', 'put', 'X', ''),
);

/** Names with the special characters of XML, HTTP and URLs. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'<>&\'"]]>\0\u0001\ufffe\ud800 /\\.%+?#\r\n😀é'), maxLength: 20 }),
  fc.constantFrom('folder/', '..', '.', ' ', 'x'.repeat(1024), 'x'.repeat(1025), 'é'.repeat(600)),
);

const ODD_PATHS: readonly string[] = [
  ...['*', '', '/', '//', 'a.jpg', '/../a.jpg', '/b/../a.jpg', '/%2e%2e/a.jpg', '/b%2Fa.jpg', '/a\\b'],
  ...['/%00', '/%', '/%zz', '/%C3%28', '/%FF', '/%ED%A0%80', '/%0d%0aSet-Cookie:%20a=b', '/<script>'],
  ...['/a.jpg;x=1', '/a.jpg#there', 'http://photos.sp1.localhost/a.jpg', 'http://other/photos/a.jpg'],
  ...['ftp://other/a.jpg', `/${'%41'.repeat(4000)}`],
];

const SERVICES: readonly string[] = [
  ...['auth/request_nonce', 'auth/update_key', 'auth/update_key_v2', 'auth/keys_v2', 'auth/delete_keys_v2'],
  ...['status', 'view/photos/a.jpg', 'download/photos/a.jpg', 'view', 'view?objectPath=photos/%00'],
  ...['download/x', 'permission/0x1/photos/1', 'greenfield/admin/v1/get-approval'],
  ...['greenfield/receiver/v1/replicate-piece', 'greenfield/recovery/v1/get-piece'],
];

const path = mostly(
  fc.constantFrom('/new', '/new', '/new', '/file', '/a.jpg', '/photos/new'),
  fc.tuple(fc.constantFrom('/', '/photos/'), name).map(([before, text]) => before + encoded(text)),
  name.map((text) => `/${text}`),
  fc.constantFrom(...ODD_PATHS),
  fc.constantFrom(...SERVICES).map((service) => `/${service}`),
);

const QUERIES: readonly string[] = [
  ...[
    'upload-progress',
    'upload-progress=',
    'upload-context',
    'object-meta',
    'object-policies',
    'bucket-meta',
  ],
  ...['read-quota&year-month=x', 'create-folder=', 'offset=0&complete=true', 'offset=4&complete=false'],
  ...['delegate=&is_update=false&payload_size=10&visibility=1', 'delegate&payload_size=1e99'],
  ...[
    'delegate=&is_update=maybe&payload_size=-1&visibility=99',
    'offset=-1&complete=',
    'offset=1e400&complete',
  ],
  ...['offset=0&offset=4&complete=true&complete=false', 'offset=9007199254740993&complete=true'],
  ...[
    'Authorization',
    'Authorization=GNFD2-EDDSA,Signature=00',
    'X-Gnfd-Expiry-Timestamp=2999-01-01T00:00:00Z',
  ],
  ...['%zz=%&=&&&;', '&'.repeat(1000), '__proto__=1&constructor=2'],
];

/** Parameters of delegated uploads; the chain does not know an object of the name. */
const DELEGATIONS: readonly string[] = [
  '/unknown?delegate=&is_update=false&payload_size=10&visibility=1',
  '/unknown?complete=true&delegate=&offset=0&payload_size=10',
  '/unknown?complete=false&delegate=&offset=0&payload_size=10',
  '/unknown?create-folder=&visibility=2',
];

const query = mostly(
  fc.constant(''),
  fc.constantFrom(...QUERIES).map((text) => `?${text}`),
  fc.constantFrom(...QUERIES).map((text) => `?${text}`),
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => `?${encoded(text)}`),
  fc.string({ maxLength: 20 }).map((text) => `?${text}`),
);

const host = mostly(
  fc.constantFrom(HOST, HOST, `${HOST}:9033`, 'sp1.localhost'),
  fc.constantFrom(
    ...['PHOTOS.SP1.LOCALHOST', 'other', '127.0.0.1:1', '[::1]:80', '.sp1.localhost', `${HOST}.`, '', 'a b'],
    ...['photos..sp1.localhost', 'ph%6ftos.sp1.localhost', `${'a'.repeat(300)}.sp1.localhost`],
  ),
);

const RANGES = ['bytes=0-4', 'bytes=9-', 'bytes=-3', 'bytes=5-1', 'bytes=99-', 'bytes=0-1,3-4', 'lines=1-2'];

const AUTHORIZATIONS: readonly string[] = [
  ...['GNFD1-ECDSA', 'GNFD1-ECDSA, Signature=', 'Basic YTpi', 'toString'],
  ...[`GNFD1-ECDSA, Signature=${'00'.repeat(65)}`, `GNFD1-ECDSA, Signature=${'ff'.repeat(65)}`],
  ...[`GNFD2-EDDSA,Signature=${'00'.repeat(64)}`, 'GNFD1-ETH-PERSONAL_SIGN,SignedMsg=x,Signature=0x'],
];

const HEADERS: readonly string[] = [
  ...['Range', 'Content-Type', 'Content-MD5', 'Origin', 'Accept-Encoding', 'If-None-Match', 'Cookie'],
  ...['X-Gnfd-Date', 'X-Gnfd-Txn-Hash', 'X-Gnfd-Content-SHA256', 'X-Gnfd-Expiry-Timestamp', '__proto__'],
  ...['X-Gnfd-User-Address', 'X-Gnfd-App-Domain', 'X-Gnfd-App-Reg-Public-Key', 'X-Gnfd-Receive-Msg'],
  ...['X-Gnfd-Unsigned-Msg', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'],
];

const value = fc.oneof(
  fc.string({ unit: character(0x20, 0x7e) }),
  fc.string({ unit: character(0x80, 0xff) }),
  fc.constantFrom('', ' ', '\t', '0', '-1', 'null', '<&>', 'x'.repeat(5000)),
);

const header = mostly<Header>(
  fc.oneof(
    fc.tuple(fc.constantFrom(...HEADERS), value),
    fc.tuple(fc.constant('Range'), fc.constantFrom(...RANGES)),
    fc.constant(['Expect', '100-continue'] as const),
  ),
  fc.tuple(fc.constant('Authorization'), fc.constantFrom(...AUTHORIZATIONS)),
  fc.constantFrom(
    ['Expect', 'the-unexpected'],
    ['Upgrade', 'h2c'],
    ['Transfer-Encoding', 'gzip, chunked'],
    ['Content-Length', '10'],
    ['Host', 'second'],
    ['no name', ''],
    ['X-Bad\0', 'x'],
    ['X-Folded', 'a\r\n b'],
  ),
);

/** A body, and headers that describe it, perhaps wrongly. */
interface Framing {
  readonly headers: readonly Header[];
  readonly body: string;
}

const LENGTHS = ['-1', '+10', '0x0A', '1e1', '10, 10', '10, 11', '', 'ten', '010', '18446744073709551626'];

const ODD_CHUNKS: readonly string[] = [
  ...['no chunk\r\n', 'ffffffffffffffffff\r\nx', '-1\r\nx', '5\r\n0123456789\r\n', '5\r\n01234'],
  ...['5;ext="\r\n01234\r\n0\r\n\r\n', '5\r\n01234\r\n0\r\nTrailer: x\r\n\r\n'],
];

const framing = mostly<Framing>(
  fc.constantFrom(
    { headers: [], body: '' },
    withLength('10', PAYLOAD),
    withLength('10', PAYLOAD),
    chunked(`${chunk(PAYLOAD.slice(0, 3))}${chunk(PAYLOAD.slice(3))}0\r\n\r\n`),
  ),
  fc.tuple(fc.nat(30), fc.string({ maxLength: 30 })).map(([length, body]) => withLength(`${length}`, body)),
  fc.constantFrom(...LENGTHS).map((length) => withLength(length, PAYLOAD)),
  fc
    .array(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 4 })
    .map((texts) => chunked(`${texts.map(chunk).join('')}0\r\n\r\n`)),
  fc.constantFrom(...ODD_CHUNKS).map(chunked),
  fc
    .constantFrom(['Transfer-Encoding', 'chunked'] as const, ['Content-Length', '11'] as const)
    .map((more) => ({
      headers: [['Content-Length', '10'] as const, more],
      body: PAYLOAD,
    })),
);

/** Any request. Most of those whose target can be signed are signed, by the owner or by a stranger. */
export const anyRequest: fc.Arbitrary<RawRequest> = fc
  .record({
    method,
    target: mostly(
      fc.tuple(path, query).map(([path, query]) => path + query),
      fc.constantFrom(...DELEGATIONS),
    ),
    version: mostly(fc.constant('HTTP/1.1'), fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'X')),
    host,
    headers: mostly<readonly Header[]>(fc.constant([]), fc.array(header, { maxLength: 4 })),
    framing,
    signer: mostly(fc.constant(OWNER), fc.constantFrom(STRANGER, undefined)),
    cuts: mostly<readonly number[]>(fc.constant([]), fc.array(fc.nat(600), { maxLength: 3 })),
    manner: mostly(fc.constant('wait' as const), fc.constantFrom('shut' as const, 'break' as const)),
  })
  .map(({ method, target, version, host, headers, framing, signer, cuts, manner }) => {
    const expiry = ['X-Gnfd-Expiry-Timestamp', new Date(Date.now() + 60_000).toISOString()] as const;
    const sent: Header[] = [['Host', host], expiry, ...headers, ...framing.headers, ['Connection', 'close']];
    const authorization = signer && signatureOf({ method, target, host, headers: sent }, signer.key);
    if (authorization !== undefined) sent.unshift(['Authorization', authorization]);
    const head = sent.map(([name, text]) => `${name}: ${text}\r\n`).join('');
    const text = `${utf8(`${method} ${target} ${version}`)}\r\n${head}\r\n${utf8(framing.body)}`;
    return { method, pieces: cut(text, cuts), manner };
  });

function signatureOf(request: Parameters<typeof signRequest>[0], key: Uint8Array): string | undefined {
  try {
    return signRequest(request, key);
  } catch {
    // A target that cannot be decoded cannot be signed either.
    return undefined;
  }
}

function withLength(length: string, body: string): Framing {
  return { headers: [['Content-Length', length]], body };
}

function chunked(body: string): Framing {
  return { headers: [['Transfer-Encoding', 'chunked']], body };
}

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function character(min: number, max: number): fc.Arbitrary<string> {
  return fc.integer({ min, max }).map((code) => String.fromCharCode(code));
}

/** As the SDKs encode names. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString()).replaceAll('%2F', '/');
}

/** The UTF-8 bytes of a text as a string of one character per byte. */
function utf8(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function cut(text: string, at: readonly number[]): readonly string[] {
  const ends = [...new Set([...at.filter((end) => end > 0 && end < text.length), text.length])];
  ends.sort((a, b) => a - b);
  return ends.map((end, i) => text.slice(i === 0 ? 0 : ends[i - 1], end));
}
