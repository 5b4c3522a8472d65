import test from 'ava';
import { Terminal } from '../errors.ts';
import {
  canonicalRequest,
  presignedRequest,
  requestDigest,
  type SignableRequest,
} from './canonical-request.ts';
import { toHex } from './hex.ts';

/** The vector of protocols/greenfield/README.md#request-signing. */
const PUT: SignableRequest = {
  method: 'PUT',
  target: '/a/b%20c.txt',
  host: 'mybucket.sp0.example.com',
  headers: [
    ['X-Gnfd-Txn-Hash', 'AABB'],
    ['X-Gnfd-Date', '2024-01-02T03:04:05Z'],
    ['X-Gnfd-Expiry-Timestamp', '2024-01-02T05:04:05Z'],
    ['X-Gnfd-Content-SHA256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['Content-Type', 'text/plain'],
    ['Content-Length', '11'],
    ['Content-MD5', 'x'],
    ['X-Gnfd-Object-ID', '1'],
    ['Authorization', 'x'],
  ],
};
const TEXT =
  'PUT\n/a/b%20c.txt\n\ncontent-type:text/plain\nx-gnfd-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-gnfd-date:2024-01-02T03:04:05Z\nx-gnfd-expiry-timestamp:2024-01-02T05:04:05Z\nx-gnfd-txn-hash:AABB\nmybucket.sp0.example.com\n\ncontent-type;x-gnfd-content-sha256;x-gnfd-date;x-gnfd-expiry-timestamp;x-gnfd-txn-hash';

test('text and digest are those of the vector', (t) => {
  t.is(canonicalRequest(PUT), TEXT);
  t.is(toHex(requestDigest(PUT)), '9eaab8eabef83fbb0030a703c23de5b63f27556637f427cc2b79ef3db2c39c81');
});

test('the headers may come from a Headers object', (t) => {
  t.is(canonicalRequest({ ...PUT, headers: new Headers(PUT.headers as [string, string][]) }), TEXT);
});

function lines(changes: Partial<SignableRequest>): string[] {
  return canonicalRequest({ method: 'GET', target: '/', host: 'h', headers: [], ...changes }).split('\n');
}

test('without signed headers only the host remains', (t) => {
  t.deepEqual(lines({}), ['GET', '/', '', 'h', '', '']);
});

test('the path is encoded canonically, however it was sent', (t) => {
  t.is(lines({ target: "/a%2Fb/(c)'+~ü" })[1], '/a/b/%28c%29%27%2B~%C3%BC');
  t.is(lines({ target: '/%61%c3%bc' })[1], '/a%C3%BC');
});

test('the query is sorted and every key gets an equals sign', (t) => {
  t.is(lines({ target: '/x?is_update=false&delegate' })[2], 'delegate=&is_update=false');
  t.is(lines({ target: '/x?b=1+2&a=%2B*~&b=0&&c=%zz&d;e=1' })[2], 'a=%2B%2A~&b=1%202&b=0');
  t.is(lines({ target: '/x?offset=0&complete=true' })[2], 'complete=true&offset=0');
});

test('header values are trimmed, joined, and runs of spaces collapsed', (t) => {
  const headers: [string, string][] = [
    ['Range', ' bytes=0-1 '],
    ['content-type', 'a  \t b'],
    ['Content-Type', 'c'],
  ];
  t.deepEqual(lines({ headers }).slice(3), [
    'content-type:a b,c',
    'range:bytes=0-1',
    'h',
    '',
    'content-type;range',
  ]);
});

test('every header that Greenfield signs is signed', (t) => {
  const names = [
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
  ];
  const others = ['accept', 'origin', 'x-gnfd-app-domain', 'x-gnfd-app-reg-public-key'];
  const headers = [...names, ...others].map((name): [string, string] => [name, '1']);
  t.is(lines({ headers }).at(-1), names.join(';'));
});

test('a pre-signed URL is signed without its Authorization parameter', (t) => {
  const authorization = 'GNFD1-ECDSA, Signature=ab';
  const target = `/o?X-Gnfd-Expiry-Timestamp=t&Authorization=${encodeURIComponent(authorization)}`;
  const presigned = presignedRequest({ ...PUT, target });
  t.is(presigned?.authorization, authorization);
  t.is(presigned?.request.target, '/o?X-Gnfd-Expiry-Timestamp=t');
  t.is(presignedRequest(PUT), undefined);
});

test('a path that is not percent-encoded UTF-8 is refused', (t) => {
  for (const target of ['/%', '/%zz', '/%ff']) {
    t.is(t.throws(() => lines({ target }), { instanceOf: Terminal })?.code, 'bad-request-target');
  }
});
