import test from 'ava';
import { Terminal } from '#protocols/errors';
import { readTarget } from './address.ts';
import { matchRoute } from './routes.ts';

const object = { bucket: 'photos', object: 'a.jpg' };

test('method and query choose the operation', (t) => {
  t.is(matchRoute('PUT', readTarget('', '/a.jpg'), object), 'put-object');
  t.is(matchRoute('GET', readTarget('', '/a.jpg'), object), 'get-object');
  t.is(matchRoute('HEAD', readTarget('', '/a.jpg'), object), 'get-object');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?upload-progress'), object), 'upload-progress');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?upload-progress='), object), 'upload-progress');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?upload-context'), object), 'upload-context');
  t.is(matchRoute('POST', readTarget('', '/a.jpg?offset=0&complete=true'), object), 'put-part');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?object-meta='), object), 'object-meta');
  t.is(matchRoute('PUT', readTarget('', '/a.jpg?delegate=&payload_size=11'), object), 'put-delegated');
  t.is(matchRoute('POST', readTarget('', '/a/?create-folder='), object), 'create-folder');
  const part = '/a.jpg?complete=true&delegate=&offset=0&payload_size=11';
  t.is(matchRoute('POST', readTarget('', part), object), 'put-delegated-part');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?other=1'), object), 'get-object');
});

test('an operation that is not served is refused by name, never taken for a plain PUT or GET', (t) => {
  const refused = [
    ['GET', '/a.jpg?bucket-meta=', 'bucket-meta'],
    ['GET', '/a.jpg?object-policies=', 'object-policies'],
  ] as const;
  for (const [method, path, name] of refused) {
    const error = t.throws(() => matchRoute(method, readTarget('', path), object), { instanceOf: Terminal });
    t.is(error?.gatewayCode, 50008);
    t.true(error?.message.includes(name), error?.message);
  }
});

test('a service has one method; others, and services that are not here, are refused', (t) => {
  const service = (method: string, name: string) =>
    matchRoute(method, readTarget('', `/${name}`), { bucket: '', object: '', service: name });
  t.is(service('POST', 'auth/update_key_v2'), 'register-key');
  t.is(service('GET', 'auth/keys_v2'), 'list-keys');
  t.is(service('POST', 'auth/delete_keys_v2'), 'delete-keys');
  for (const [method, name] of [
    ['GET', 'auth/update_key_v2'],
    ['POST', 'auth/keys_v2'],
    ['GET', 'auth/request_nonce'],
    ['POST', 'auth/update_key'],
    ['GET', 'permission/0x1/photos/1'],
  ] as const) {
    const error = t.throws(() => service(method, name), { instanceOf: Terminal }, `${method} ${name}`);
    t.is(error?.gatewayCode, 50008);
    t.true(error?.message.includes(name), error?.message);
  }
});

test('other methods, a bucket alone and no bucket are refused', (t) => {
  for (const method of ['POST', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY']) {
    t.throws(() => matchRoute(method, readTarget('', '/a.jpg'), object), { instanceOf: Terminal }, method);
  }
  for (const address of [
    { bucket: 'photos', object: '' },
    { bucket: '', object: '' },
  ]) {
    t.throws(() => matchRoute('GET', readTarget('', '/'), address), { instanceOf: Terminal });
  }
});
