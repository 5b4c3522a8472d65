import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { silentLogger } from '#runtime/telemetry/logger';
import { serveGateway } from '../server.ts';
import { OWNER } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { APP, keySignedRequest, ownersKey, registration, SP_HOST } from '../testing/keys.ts';

const OBJECT = 'http://photos.sp1.localhost/a.jpg';
const WANTED =
  'authorization,content-type,range,x-gnfd-app-domain,x-gnfd-app-reg-public-key,x-gnfd-content-sha256,x-gnfd-date,x-gnfd-expiry-timestamp,x-gnfd-txn-hash,x-gnfd-user-address';

/** What a browser asks before a request that is not simple. */
function preflight(method: string, origin = APP): RequestInit {
  return {
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': method,
      'Access-Control-Request-Headers': WANTED,
    },
  };
}

test('a preflight is answered without a signature, and allows every method and header of the API', async (t) => {
  const { app, pipeline } = testGateway(t);
  for (const url of [OBJECT, `http://${SP_HOST}/auth/update_key_v2`, `http://${SP_HOST}/`]) {
    const response = await app.request(url, preflight('PUT'));
    t.is(response.status, 204, url);
    t.is(response.headers.get('Access-Control-Allow-Origin'), '*');
    t.deepEqual(response.headers.get('Access-Control-Allow-Methods')?.split(','), [
      'GET',
      'HEAD',
      'PUT',
      'POST',
    ]);
    t.is(response.headers.get('Access-Control-Allow-Headers'), WANTED);
    t.is(response.headers.get('Access-Control-Max-Age'), '86400');
    t.is(response.headers.get('Access-Control-Allow-Credentials'), null);
  }
  t.is(pipeline.requests.length, 0);
});

test('an application in a browser registers a key, uploads with it, and reads the answers', async (t) => {
  const { app, chain } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const registered = await app.request(registration());
  const put = await app.request(keySignedRequest({ headers: { Origin: APP } }, '0123456789'));
  for (const response of [registered, put]) {
    t.is(response.status, 200);
    t.is(response.headers.get('Access-Control-Allow-Origin'), '*');
    const exposed = response.headers.get('Access-Control-Expose-Headers') ?? '';
    t.true(exposed.includes('X-Gnfd-Request-ID'));
  }
});

test('an application in a browser can read errors', async (t) => {
  const { app } = testGateway(t);
  const response = await app.request(OBJECT, { method: 'PUT', headers: { Origin: APP } });
  t.is(response.headers.get('Access-Control-Allow-Origin'), '*');
  t.is((await errorOf(response)).code, 50001);
});

test('CORS headers are sent over a socket too', async (t) => {
  const { app } = testGateway(t);
  const server = await serveGateway(app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  const response = await fetch(`http://127.0.0.1:${server.port}/photos/a.jpg`, preflight('PUT'));
  t.is(response.status, 204);
  t.is(response.headers.get('Access-Control-Allow-Origin'), '*');
  const refused = await fetch(`http://127.0.0.1:${server.port}/photos/b.jpg`);
  t.is(refused.headers.get('Access-Control-Allow-Origin'), '*');
  t.is((await errorOf(refused)).code, 20008);
});

test('with a list of origins, others are not allowed, and answers vary by origin', async (t) => {
  const { app, records } = testGateway(t, { corsOrigins: [APP, 'https://b.example.com'] });
  await records.offChainKeys.register(ownersKey());
  const allowed = async (init: RequestInit) => {
    const { headers } = await app.request(OBJECT, init);
    t.regex(headers.get('Vary') ?? '', /Origin/);
    return headers.get('Access-Control-Allow-Origin');
  };
  t.is(await allowed(preflight('PUT')), APP);
  t.is(await allowed(preflight('PUT', 'https://evil.example.com')), null);
  t.is(await allowed({ headers: { Origin: 'https://b.example.com' } }), 'https://b.example.com');
  t.is(await allowed({ headers: { Origin: 'https://evil.example.com' } }), null);
});

test('without origins no CORS header is sent, and a preflight is not served', async (t) => {
  const { app } = testGateway(t, { corsOrigins: [] });
  const response = await app.request(OBJECT, preflight('PUT'));
  t.is(response.headers.get('Access-Control-Allow-Origin'), null);
  t.is((await errorOf(response)).code, 50008);
});
