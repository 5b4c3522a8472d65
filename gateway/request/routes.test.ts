import test from 'ava';
import { Hono } from 'hono';
import { toSealionError } from '#protocols/errors';
import type { GatewayEnv, Handler } from './context.ts';
import { addRoutes, type Handlers } from './routes.ts';
import { address, pathToRoute, target } from './target.ts';

const OBJECT = 'http://photos.localhost/a.jpg';

/** Answers with a name. */
function named(name: string): Handler {
  return async (c) => c.text(name, 200, { 'X-Handler': name });
}

const HANDLERS: Required<Handlers> = {
  putObject: named('putObject'),
  putPart: named('putPart'),
  putDelegated: named('putDelegated'),
  putDelegatedPart: named('putDelegatedPart'),
  createFolder: named('createFolder'),
  getObject: named('getObject'),
  uploadContext: named('uploadContext'),
  uploadProgress: named('uploadProgress'),
  objectMeta: named('objectMeta'),
  viewObject: named('viewObject'),
  downloadObject: named('downloadObject'),
  status: named('status'),
  replicatePiece: named('replicatePiece'),
  recoverPiece: named('recoverPiece'),
  approve: named('approve'),
  recommendedFamily: named('recommendedFamily'),
  registerKey: named('registerKey'),
  listKeys: named('listKeys'),
  deleteKeys: named('deleteKeys'),
};

/** @returns asks for the name of the handler that answers, or for the gateway's code and the reason of a refusal */
function router(handlers: Handlers = HANDLERS) {
  const app = new Hono<GatewayEnv>({ getPath: pathToRoute(['localhost']) });
  app.use(target);
  app.use(address(['localhost']));
  addRoutes(app, handlers);
  app.onError((error, c) => {
    const { gatewayCode, message } = toSealionError(error);
    return c.text(`${gatewayCode} ${message}`, 400);
  });
  return async (method: string, url: string): Promise<string> => {
    const response = await app.request(url, { method });
    return response.headers.get('X-Handler') ?? (await response.text());
  };
}

test('method and query choose the handler of an object', async (t) => {
  const ask = router();
  for (const [method, query, handler] of [
    ['PUT', '', 'putObject'],
    ['GET', '', 'getObject'],
    ['HEAD', '', 'getObject'],
    ['GET', '?other=1', 'getObject'],
    ['GET', '?upload-progress', 'uploadProgress'],
    ['HEAD', '?upload-progress', 'uploadProgress'],
    ['GET', '?upload-progress=', 'uploadProgress'],
    ['GET', '?upload-context', 'uploadContext'],
    ['GET', '?upload-progress&upload-context', 'uploadContext'],
    ['POST', '?offset=0&complete=true', 'putPart'],
    ['GET', '?object-meta=', 'objectMeta'],
    ['PUT', '?delegate=&payload_size=11', 'putDelegated'],
    ['POST', '?create-folder=', 'createFolder'],
    ['POST', '?complete=true&delegate=&offset=0&payload_size=11', 'putDelegatedPart'],
  ] as const) {
    t.is(await ask(method, `${OBJECT}${query}`), handler, `${method} ${query}`);
  }
});

test('an object is reached in virtual-host and in path style, whatever its name', async (t) => {
  const ask = router();
  for (const name of [
    'a.jpg',
    'a/b',
    'a%2Fb',
    'a%0Ab',
    '%E6%B5%B7/%F0%9F%A6%AD',
    '100%25',
    ':id',
    '*',
    '%3F',
  ]) {
    t.is(await ask('GET', `http://photos.localhost/${name}`), 'getObject', name);
    t.is(await ask('PUT', `http://localhost/photos/${name}`), 'putObject', name);
    t.is(await ask('PUT', `http://localhost/photos%2F${name}`), 'putObject', name);
    t.is(await ask('GET', `http://localhost/view/photos/${name}`), 'viewObject', name);
  }
  for (const name of [
    'status',
    'view/a',
    'auth/keys_v2',
    'object',
    'greenfield/receiver/v1/replicate-piece',
  ]) {
    t.is(await ask('GET', `http://photos.localhost/${name}`), 'getObject', name);
  }
  t.is(await ask('GET', 'http://localhost/object/a'), 'getObject');
  t.regex(await ask('GET', 'http://localhost/object'), /^50008 GET of a bucket /);
});

test('an unsupported operation is refused by name, never treated as a plain PUT or GET', async (t) => {
  const ask = router();
  for (const query of ['bucket-meta', 'bucket-migration-progress', 'object-policies']) {
    const refused = `50008 GET of an object with ?${query} is not served here.`;
    t.is(await ask('GET', `${OBJECT}?${query}=`), refused);
  }
  const { putDelegated: _, putDelegatedPart: __, createFolder: ___, ...others } = HANDLERS;
  const askWithout = router(others);
  t.is(await askWithout('PUT', OBJECT), 'putObject');
  for (const [method, query] of [
    ['PUT', 'delegate'],
    ['POST', 'delegate&offset=0&complete=true'],
    ['POST', 'create-folder'],
  ] as const) {
    t.regex(await askWithout(method, `${OBJECT}?${query}`), /^50008 /, query);
  }
});

test("Greenfield's own paths have one method each; others, and paths that are not here, are refused", async (t) => {
  const ask = router();
  for (const [method, path, handler] of [
    ['POST', 'auth/update_key_v2', 'registerKey'],
    ['GET', 'auth/keys_v2', 'listKeys'],
    ['POST', 'auth/delete_keys_v2', 'deleteKeys'],
    ['GET', 'status', 'status'],
    ['HEAD', 'stat%75s', 'status'],
    ['GET', 'view?objectPath=photos/a', 'viewObject'],
    ['GET', 'download/photos/a', 'downloadObject'],
    ['PUT', 'greenfield/receiver/v1/replicate-piece', 'replicatePiece'],
    ['GET', 'greenfield/recovery/v1/get-piece', 'recoverPiece'],
  ] as const) {
    t.is(await ask(method, `http://localhost/${path}`), handler, path);
  }
  for (const [method, path] of [
    ['GET', 'auth/update_key_v2'],
    ['POST', 'auth/keys_v2'],
    ['GET', 'auth/request_nonce'],
    ['POST', 'auth/update_key'],
    ['GET', 'permission/0x1/photos/1'],
    ['GET', 'greenfield/recovery/v1/get-piece/'],
  ] as const) {
    t.is(await ask(method, `http://localhost/${path}`), `50008 ${method} of ${path} is not served here.`);
  }
  const { replicatePiece: _, recoverPiece: __, ...others } = HANDLERS;
  t.regex(await router(others)('PUT', 'http://localhost/greenfield/receiver/v1/replicate-piece'), /^50008 /);
});

test('other methods, a bucket alone and no bucket are refused', async (t) => {
  const ask = router();
  for (const method of ['POST', 'DELETE', 'PATCH', 'OPTIONS', 'QUERY']) {
    t.is(await ask(method, OBJECT), `50008 ${method} of an object is not served here.`);
  }
  t.is(await ask('GET', 'http://photos.localhost/'), '50008 GET of a bucket is not served here.');
  t.is(await ask('GET', 'http://localhost/photos/'), '50008 GET of a bucket is not served here.');
  t.is(await ask('GET', 'http://localhost/'), '50008 GET of this path is not served here.');
});

test('a name that no chain accepts is refused before a handler is looked for', async (t) => {
  const ask = router();
  t.regex(await ask('DELETE', 'http://photos.localhost/a%2F%2Fb'), /^50044 /);
  t.regex(await ask('GET', 'http://photos.localhost/%FF'), /^50010 /);
  t.regex(await ask('GET', 'http://localhost/Photos/a'), /^90007 /);
});
