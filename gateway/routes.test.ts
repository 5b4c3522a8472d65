import test from 'ava';
import { Terminal } from '../protocols/errors.ts';
import { readTarget } from './address.ts';
import { matchRoute } from './routes.ts';

const object = { bucket: 'photos', object: 'a.jpg' };

test('method and query choose the operation', (t) => {
  t.is(matchRoute('PUT', readTarget('', '/a.jpg'), object), 'put-object');
  t.is(matchRoute('GET', readTarget('', '/a.jpg'), object), 'get-object');
  t.is(matchRoute('HEAD', readTarget('', '/a.jpg'), object), 'get-object');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?upload-progress'), object), 'upload-progress');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?upload-progress='), object), 'upload-progress');
  t.is(matchRoute('GET', readTarget('', '/a.jpg?other=1'), object), 'get-object');
});

test('an operation that is not served is refused by name, never taken for a plain PUT or GET', (t) => {
  const refused = [
    ['PUT', '/a.jpg?delegate=&is_update=false&payload_size=11', 'delegate'],
    ['POST', '/a.jpg?offset=0&complete=true', 'offset&complete'],
    ['GET', '/a.jpg?object-meta=', 'object-meta'],
    ['GET', '/a.jpg?upload-context', 'upload-context'],
  ] as const;
  for (const [method, path, name] of refused) {
    const error = t.throws(() => matchRoute(method, readTarget('', path), object), { instanceOf: Terminal });
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
