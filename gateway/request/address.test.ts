import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '#protocols/errors';
import { canonicalRequest } from '#protocols/greenfield/canonical-request';
import { readAddress, readTarget } from './address.ts';

const DOMAINS = ['sp1.example.com', 'localhost'];

function address(host: string, requestTarget: string) {
  return readAddress(readTarget(host, requestTarget), DOMAINS);
}

test('a host under our domain names the bucket, with any other host the path does', (t) => {
  const expected = { bucket: 'photos', object: 'a/b.jpg' };
  t.deepEqual(address('photos.sp1.example.com', '/a/b.jpg'), expected);
  t.deepEqual(address('Photos.SP1.example.com:9033', '/a/b.jpg?x=/y'), expected);
  t.deepEqual(address('photos.localhost:9033', '/a/b.jpg'), expected);
  t.deepEqual(address('sp1.example.com', '/photos/a/b.jpg'), expected);
  t.deepEqual(address('127.0.0.1:9033', '/photos/a/b.jpg'), expected);
  t.deepEqual(address('[::1]:9033', '/photos/a/b.jpg'), expected);
  t.deepEqual(address('sp1.example.com', 'http://sp1.example.com/photos/a/b.jpg'), expected);
});

test('a bucket may have dots', (t) => {
  t.deepEqual(address('my.photos.sp1.example.com', '/a'), { bucket: 'my.photos', object: 'a' });
});

test('a request may name no object, or neither bucket nor object', (t) => {
  t.deepEqual(address('photos.sp1.example.com', '/'), { bucket: 'photos', object: '' });
  t.deepEqual(address('localhost', '/photos'), { bucket: 'photos', object: '' });
  t.deepEqual(address('localhost', '/photos/'), { bucket: 'photos', object: '' });
  t.deepEqual(address('localhost', '/'), { bucket: '', object: '' });
  t.deepEqual(address('localhost', '?x=1'), { bucket: '', object: '' });
});

test('object names are percent-decoded UTF-8 and keep slashes, spaces, pluses and Unicode', (t) => {
  const object = (path: string) => address('photos.localhost', path).object;
  t.is(object('/a%20b/c+d'), 'a b/c+d');
  t.is(object('/a%2Fb'), 'a/b');
  t.is(object('/%E6%B5%B7%E7%8B%AE/%F0%9F%A6%AD.txt'), '海狮/🦭.txt');
  t.is(object('/100%25'), '100%');
  t.is(object('/folder/'), 'folder/');
  t.is(object('/a%3Cb%3E%26'), 'a<b>&');
});

test('names that no chain accepts are refused, and dots are not resolved', (t) => {
  const wrong = [
    ['photos.localhost', '/a/../b', 50044],
    ['photos.localhost', '/a/%2e%2E/b', 50044],
    ['photos.localhost', '/./b', 50044],
    ['photos.localhost', '/a//b', 50044],
    ['photos.localhost', '/a%5Cb', 50044],
    ['photos.localhost', `/${'x'.repeat(1025)}`, 50044],
    ['photos.localhost', '/%FF', 50010],
    ['photos.localhost', '/%', 50010],
    ['localhost', '/ab/x', 90007],
    ['localhost', '/Photos/x', 90007],
    ['localhost', '/pho..tos/x', 90007],
    ['localhost', '/1.2.3.4/x', 90007],
    ['-photos.localhost', '/x', 90007],
  ] as const;
  for (const [host, path, code] of wrong) {
    const error = t.throws(() => address(host, path), { instanceOf: Terminal }, `${host}${path}`);
    t.is(error?.gatewayCode, code);
  }
  t.is(address('photos.localhost', `/${'%C3%A4'.repeat(512)}`).object.length, 512);
});

test('links that work at every provider name their object in the path or in the query', (t) => {
  const named = (service: string) => ({ bucket: 'photos', object: 'a b/c.pdf', service });
  t.deepEqual(address('localhost', '/view/photos/a%20b/c.pdf'), named('view'));
  t.deepEqual(address('localhost', '/download/photos/a%20b/c.pdf?x=1'), named('download'));
  t.deepEqual(address('localhost', '/view?objectPath=photos/a%20b/c.pdf'), named('view'));
  t.deepEqual(address('localhost', '/download?objectPath=photos%2Fa+b%2Fc.pdf'), named('download'));
  t.deepEqual(address('localhost', '/view'), { bucket: '', object: '', service: 'view' });
  t.deepEqual(address('localhost', '/viewer/a'), { bucket: 'viewer', object: 'a' });
  t.is(address('photos.localhost', '/view/photos/a').object, 'view/photos/a');
  const error = t.throws(() => address('localhost', '/view/photos/../a'), { instanceOf: Terminal });
  t.is(error?.gatewayCode, 50044);
});

test("Greenfield's own paths name no bucket in path style, and are objects under a bucket's host", (t) => {
  for (const path of [
    '/auth/request_nonce',
    '/greenfield/receiver/v1/replicate-piece',
    '/permission/0x1/photos/1',
    '/status',
  ]) {
    t.deepEqual(address('localhost', path), { bucket: '', object: '', service: path.slice(1) }, path);
    t.is(address('photos.localhost', path).object, path.slice(1));
  }
  t.deepEqual(address('localhost', '/greenfield/a'), { bucket: 'greenfield', object: 'a' });
});

/** The query that a signature of this request covers. */
function signedQuery(target: string): string {
  return canonicalRequest({ method: 'GET', target, host: 'localhost', headers: [] }).split('\n')[2] ?? '';
}

test('the operation of a request is chosen by signed query parameters only', (t) => {
  for (const query of [
    'delegate;x=1',
    'delegate=%zz',
    '%zz&delegate=%FF',
    'upload-progress;',
    'complete=%&offset=;',
  ]) {
    t.deepEqual([...readTarget('localhost', `/a?${query}`).query], [], query);
  }
  const part = fc.constantFrom(
    'delegate',
    'offset',
    '%6fffset',
    'complete',
    '=',
    '=',
    '&',
    '&',
    ';',
    '%',
    '%zz',
    '+',
    '0',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const target = `/a?${parts.join('')}`;
      const { query } = readTarget('localhost', target);
      query.sort();
      t.deepEqual([...query], [...new URLSearchParams(signedQuery(target))]);
    }),
    { numRuns: 2_000 },
  );
});
