import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { silentLogger } from '#runtime/telemetry/logger';
import { serveGateway } from '../server.ts';
import { OWNER, STRANGER } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { APP, KEY, keySignedRequest, ownersKey, SP_HOST } from '../testing/keys.ts';
import { signedRequest, type Unsigned } from '../testing/signed-request.ts';

const HOLDER = { account: OWNER.address, domain: APP };
const ELSEWHERE = 'https://other.example.com';

/** A gateway where the owner has the keys 11, 22 and `KEY`, and 11 for another application too. */
async function withKeys(t: ExecutionContext): Promise<TestGateway> {
  const gateway = testGateway(t);
  const { offChainKeys } = gateway.records;
  for (const publicKey of ['11', '22', KEY.publicKey]) await offChainKeys.register(ownersKey({ publicKey }));
  await offChainKeys.register(ownersKey({ publicKey: '11', domain: ELSEWHERE }));
  return gateway;
}

function deletion(keys: string, over: Unsigned = {}): [Unsigned, string] {
  const headers = {
    'X-Gnfd-User-Address': OWNER.address,
    'X-Gnfd-App-Domain': APP,
    'Content-Length': String(keys.length),
    ...over.headers,
  };
  return [{ method: 'POST', host: SP_HOST, target: '/auth/delete_keys_v2', ...over, headers }, keys];
}

async function keysOf({ records }: TestGateway, domain = APP): Promise<string[]> {
  return (await records.offChainKeys.list({ ...HOLDER, domain })).map(({ publicKey }) => publicKey);
}

test('an account deletes the keys it names', async (t) => {
  const gateway = await withKeys(t);
  const response = await gateway.app.request(signedRequest(...deletion('11, 22,99,')));
  t.is(response.status, 200);
  t.is(await response.text(), '<DeleteUserPublicKeyV2Resp><Result>true</Result></DeleteUserPublicKeyV2Resp>');
  t.deepEqual(await keysOf(gateway), [KEY.publicKey]);
  t.deepEqual(await keysOf(gateway, ELSEWHERE), ['11']);
});

test('a key can delete keys of its account and application, including itself', async (t) => {
  const gateway = await withKeys(t);
  const remove = () =>
    gateway.app.request(keySignedRequest(...deletion(`22,${KEY.publicKey.toUpperCase()}`)));
  t.is((await remove()).status, 200);
  t.deepEqual(await keysOf(gateway), ['11']);
  t.is((await errorOf(await remove())).code, 20019);
});

test('naming no keys deletes none', async (t) => {
  const gateway = await withKeys(t);
  t.is((await gateway.app.request(signedRequest(...deletion('')))).status, 200);
  t.is((await keysOf(gateway)).length, 3);
});

test('only the account itself can delete its keys, with a valid signature', async (t) => {
  const gateway = await withKeys(t);
  const refusal = async (over: Unsigned) => {
    const { status, code } = await errorOf(await gateway.app.request(signedRequest(...deletion('11', over))));
    return [status, code];
  };
  t.deepEqual(await refusal({ by: STRANGER }), [401, 50004]);
  t.deepEqual(await refusal({ headers: { 'X-Gnfd-User-Address': STRANGER.address } }), [401, 50004]);
  t.deepEqual(await refusal({ headers: { 'X-Gnfd-User-Address': '' } }), [400, 50009]);
  t.deepEqual(await refusal({ headers: { 'X-Gnfd-App-Domain': '' } }), [400, 50017]);
  t.deepEqual(await refusal({ expiresInMs: -1000 }), [400, 50023]);
  const unsigned = signedRequest(...deletion('11'));
  unsigned.headers.delete('Authorization');
  t.is((await errorOf(await gateway.app.request(unsigned))).code, 50001);
  t.is((await keysOf(gateway)).length, 3);
});

test('more than a hundred keys at once are refused', async (t) => {
  const gateway = await withKeys(t);
  const code = async (keys: string) =>
    (await errorOf(await gateway.app.request(signedRequest(...deletion(keys))))).code;
  t.is(await code(Array(101).fill('11').join(',')), 20018);
  t.is(await code('x'.repeat(6601)), 20018);
  t.is((await keysOf(gateway)).length, 3);
  const hundred = Array(100).fill(KEY.publicKey).join(', ');
  t.is((await gateway.app.request(signedRequest(...deletion(hundred)))).status, 200);
});

test('over a socket, the body must have a length and arrive in time', async (t) => {
  const gateway = testGateway(t, { limits: { idleTimeoutMs: 50 } });
  await gateway.records.offChainKeys.register(ownersKey({ publicKey: '11' }));
  const server = await serveGateway(gateway.app, {
    host: '127.0.0.1',
    port: 0,
    closeTimeoutMs: 0,
    log: silentLogger,
  });
  t.teardown(() => server.close());
  const send = async (headers: Record<string, string>, parts: string[], end = true) => {
    const signed = signedRequest({
      ...deletion('')[0],
      headers: { 'X-Gnfd-User-Address': OWNER.address, 'X-Gnfd-App-Domain': APP },
    });
    const client = request({
      port: server.port,
      method: 'POST',
      path: '/auth/delete_keys_v2',
      headers: { ...Object.fromEntries(signed.headers), Host: SP_HOST, ...headers },
    });
    client.on('error', () => {});
    t.teardown(() => client.destroy());
    client.flushHeaders();
    for (const part of parts) client.write(part);
    if (end) client.end();
    const [response] = (await once(client, 'response')) as [IncomingMessage];
    return text(response);
  };
  t.regex(await send({ 'Transfer-Encoding': 'chunked' }, ['11']), /<Code>50009</);
  t.regex(await send({ 'Content-Length': '2' }, ['1'], false), /<Code>110005</);
  t.is((await keysOf(gateway)).length, 1);
  t.regex(await send({ 'Content-Length': '2' }, ['1', '1']), /true/);
  t.is((await keysOf(gateway)).length, 0);
});
