import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { OWNER, object, STRANGER } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { APP, KEY, keyPair, keySignedRequest, ownersKey, presignedUrl, timestamp } from '../testing/keys.ts';
import { signedRequest } from '../testing/signed-request.ts';

const PAYLOAD = '0123456789';

async function answer({ app }: TestGateway, request: Request | string, init?: RequestInit): Promise<unknown> {
  const response = await app.request(request, init);
  if (response.ok) return response.status;
  const { status, code } = await errorOf(response);
  return [status, code];
}

test('a registered key signs on behalf of its account', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  await gateway.records.offChainKeys.register(ownersKey());
  t.is(await answer(gateway, keySignedRequest({}, PAYLOAD)), 200);
  t.is(gateway.pipeline.taken.get('4711.0')?.toString(), PAYLOAD);
  const progress = keySignedRequest({ method: 'GET', target: '/a.jpg?upload-progress=' });
  t.is(await answer(gateway, progress), 200);
});

test('a key gives no more rights than its account has', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.allow(STRANGER, Action.CREATE_OBJECT);
  await gateway.records.offChainKeys.register(ownersKey());
  t.deepEqual(await answer(gateway, keySignedRequest({}, PAYLOAD)), [401, 50004]);
});

test('account and key are recognised in any letter case', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  await gateway.records.offChainKeys.register(ownersKey());
  const headers = {
    'X-Gnfd-User-Address': OWNER.address.toLowerCase(),
    'X-Gnfd-App-Reg-Public-Key': KEY.publicKey.toUpperCase(),
  };
  t.is(await answer(gateway, keySignedRequest({ headers }, PAYLOAD)), 200);
});

test("an invalid key is refused with today's code for each reason", async (t) => {
  const gateway = testGateway(t);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  const { offChainKeys } = gateway.records;
  const put = (headers: Record<string, string> = {}, expiresInMs = 60_000) =>
    answer(gateway, keySignedRequest({ headers, expiresInMs }, PAYLOAD));
  t.deepEqual(await put(), [400, 20019]);
  await offChainKeys.register(ownersKey({ expiresAt: Date.now() - 1 }));
  t.deepEqual(await put(), [400, 20015]);
  await offChainKeys.register(ownersKey());
  t.deepEqual(await answer(gateway, keySignedRequest({}, PAYLOAD, keyPair(9))), [400, 20012]);
  t.deepEqual(await put({ 'X-Gnfd-App-Domain': 'https://other.example.com' }), [400, 20019]);
  t.deepEqual(await put({ 'X-Gnfd-User-Address': STRANGER.address }), [400, 20019]);
  t.deepEqual(await put({ 'X-Gnfd-User-Address': 'me' }), [400, 20006]);
  for (const name of ['User-Address', 'App-Domain', 'App-Reg-Public-Key']) {
    t.deepEqual(await put({ [`X-Gnfd-${name}`]: '' }), [400, 20017], name);
  }
  t.deepEqual(await put({}, -1000), [400, 50023]);
  t.deepEqual(await put({}, 8 * 24 * 3600 * 1000), [400, 50023]);
  await offChainKeys.remove(ownersKey(), [KEY.publicKey]);
  t.deepEqual(await put(), [400, 20019]);
  t.is(gateway.pipeline.requests.length, 0);
});

test('a signature by a key covers the request', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  await gateway.records.offChainKeys.register(ownersKey());
  const { headers } = keySignedRequest();
  const other = new Request('http://photos.sp1.localhost/b.jpg', { method: 'PUT', headers, body: PAYLOAD });
  t.deepEqual(await answer(gateway, other), [400, 20012]);
});

test('while keys cannot be looked up, requests signed with one get Retry-After, others are served', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  await mkdir(gateway.recordsFile, { recursive: true });
  const response = await gateway.app.request(keySignedRequest({}, PAYLOAD));
  t.is(response.headers.get('Retry-After'), '5');
  const { status, code, message } = await errorOf(response);
  t.deepEqual([status, code], [500, 115101]);
  t.regex(message, /Try again/);
  t.false(message.includes(gateway.recordsFile));
  t.is(await answer(gateway, signedRequest({}, PAYLOAD)), 200);
});

/** A private object that is sealed and empty, so that reading it needs no pieces. */
async function privateObject(gateway: TestGateway): Promise<TestGateway> {
  gateway.chain.allow(OWNER, Action.GET_OBJECT);
  gateway.chain.objects = [{ object: object({ status: 'SEALED', payloadSize: 0 }) }];
  await gateway.records.offChainKeys.register(ownersKey());
  return gateway;
}

test('a pre-signed URL gives access to a private object without any header', async (t) => {
  const gateway = await privateObject(testGateway(t));
  t.is(await answer(gateway, presignedUrl()), 200);
  t.is(await answer(gateway, presignedUrl({ extra: 'b+c/d&e=f' })), 200);
  t.deepEqual(await answer(gateway, 'http://photos.sp1.localhost/a.jpg'), [401, 50004]);
});

test('a pre-signed URL is valid only for exactly what was signed', async (t) => {
  const gateway = await privateObject(testGateway(t));
  t.deepEqual(await answer(gateway, presignedUrl().replace('/a.jpg', '/b.jpg')), [404, 20008]);
  t.deepEqual(await answer(gateway, `${presignedUrl()}&more=1`), [400, 20012]);
  t.deepEqual(await answer(gateway, presignedUrl({}, { seed: keyPair(9).seed })), [400, 20012]);
  t.deepEqual(await answer(gateway, presignedUrl(), { method: 'PUT', body: '' }), [400, 50001]);
});

test('a pre-signed URL is refused when it has expired, or its key is not registered for what it names', async (t) => {
  const gateway = await privateObject(testGateway(t));
  const open = (over: Record<string, string>) => answer(gateway, presignedUrl(over));
  t.deepEqual(await open({ 'X-Gnfd-Expiry-Timestamp': timestamp(-1000) }), [400, 50023]);
  t.deepEqual(await open({ 'X-Gnfd-Expiry-Timestamp': timestamp(8 * 24 * 3600 * 1000) }), [400, 50023]);
  t.deepEqual(await open({ 'X-Gnfd-App-Domain': `${APP}.evil.com` }), [400, 20019]);
  t.deepEqual(await open({ 'X-Gnfd-User-Address': STRANGER.address }), [400, 20019]);
  t.deepEqual(await open({ 'X-Gnfd-App-Reg-Public-Key': keyPair(9).publicKey }), [400, 20019]);
  t.deepEqual(await open({ 'X-Gnfd-App-Reg-Public-Key': '' }), [400, 20017]);
  await gateway.records.offChainKeys.register(ownersKey({ expiresAt: Date.now() - 1 }));
  t.deepEqual(await open({}), [400, 20015]);
});

test('a pre-signed URL must be signed by an off-chain key', async (t) => {
  const gateway = await privateObject(testGateway(t));
  const target = `/a.jpg?X-Gnfd-Expiry-Timestamp=${timestamp(60_000)}`;
  const authorization = signedRequest({ method: 'GET', target }).headers.get('Authorization') ?? '';
  const url = `http://photos.sp1.localhost${target}&Authorization=${encodeURIComponent(authorization)}`;
  t.deepEqual(await answer(gateway, url), [400, 50001]);
  t.deepEqual(await answer(gateway, 'http://photos.sp1.localhost/a.jpg?Authorization=x'), [400, 50001]);
});

test('a pre-signed URL may be used with a Range header', async (t) => {
  const gateway = await privateObject(testGateway(t));
  t.deepEqual(await answer(gateway, presignedUrl(), { headers: { Range: 'bytes=0-' } }), 200);
});
