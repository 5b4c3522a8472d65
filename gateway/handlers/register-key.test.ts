import { mkdir } from 'node:fs/promises';
import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { OWNER } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { APP, KEY, keySignedRequest, ownersKey, registration, timestamp } from '../testing/keys.ts';

const HOLDER = { account: OWNER.address, domain: APP };

test('a key registered by an account can sign for it', async (t) => {
  const { app, chain, records } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const put = async () => (await app.request(keySignedRequest({}, '0123456789'))).status;
  t.is(await put(), 400);
  const response = await app.request(registration());
  t.is(response.status, 200);
  t.is(response.headers.get('Content-Type'), 'application/xml');
  t.is(await response.text(), '<UpdateUserPublicKeyResp><Result>true</Result></UpdateUserPublicKeyResp>');
  t.is((await records.offChainKeys.list(HOLDER)).length, 1);
  t.is(await put(), 200);
});

test('a body, as sent by the Go SDK, is ignored', async (t) => {
  const { app } = testGateway(t);
  const { headers, url } = registration();
  t.is((await app.request(url, { method: 'POST', headers, body: '{}' })).status, 200);
});

test('a registration may be repeated', async (t) => {
  const { app, records } = testGateway(t);
  const { headers, url } = registration();
  for (let i = 0; i < 2; i++) t.is((await app.request(url, { method: 'POST', headers })).status, 200);
  t.is((await records.offChainKeys.list(HOLDER)).length, 1);
});

test("an invalid registration is refused with today's code and changes nothing", async (t) => {
  const { app, records } = testGateway(t);
  await records.offChainKeys.register(ownersKey({ publicKey: 'ab' }));
  const refusal = async (change: (headers: Headers) => void) => {
    const { status, code } = await errorOf(await app.request(registration(change)));
    return [status, code];
  };
  t.deepEqual(await refusal((it) => it.delete('Authorization')), [400, 50001]);
  t.deepEqual(await refusal((it) => it.set('Authorization', 'GNFD1-ETH-PERSONAL_SIGN,x')), [400, 50002]);
  const tampered = (it: Headers) =>
    it.set('Authorization', it.get('Authorization')?.replace('9000', '9001') ?? '');
  t.deepEqual(await refusal(tampered), [406, 50015]);
  t.deepEqual(await refusal((it) => it.set('Origin', 'https://evil.example.com')), [400, 50017]);
  t.deepEqual(await refusal((it) => it.delete('Origin')), [400, 50017]);
  t.deepEqual(await refusal((it) => it.set('X-Gnfd-App-Reg-Public-Key', 'ab')), [400, 50018]);
  t.deepEqual(await refusal((it) => it.set('X-Gnfd-App-Reg-Public-Key', 'ab'.repeat(32))), [400, 50020]);
  t.deepEqual(await refusal((it) => it.set('X-Gnfd-Expiry-Timestamp', timestamp(-1000))), [400, 50023]);
  t.deepEqual(await refusal((it) => it.set('X-Gnfd-Expiry-Timestamp', timestamp(7e8))), [400, 50023]);
  t.deepEqual(await refusal((it) => it.set('X-Gnfd-Expiry-Timestamp', timestamp(5e6))), [400, 50038]);
  const elsewhere = (it: Headers) => {
    it.set('Origin', 'https://evil.example.com');
    it.set('X-Gnfd-App-Domain', 'https://evil.example.com');
  };
  t.deepEqual(await refusal(elsewhere), [400, 50037]);
  const kept = await records.offChainKeys.list(HOLDER);
  t.deepEqual(
    kept.map(({ publicKey }) => publicKey),
    ['ab'],
  );
  t.is(await records.offChainKeys.find(HOLDER, KEY.publicKey), undefined);
});

test('while keys cannot be stored, the application gets Retry-After', async (t) => {
  const { app, recordsFile } = testGateway(t);
  await mkdir(recordsFile, { recursive: true });
  const response = await app.request(registration());
  t.is(response.headers.get('Retry-After'), '5');
  const { status, code } = await errorOf(response);
  t.deepEqual([status, code], [500, 115101]);
});

test('a wallet unknown to the chain cannot register a key', async (t) => {
  const { app, chain, records } = testGateway(t);
  chain.accounts = [];
  const { status, code } = await errorOf(await app.request(registration()));
  t.deepEqual([status, code], [401, 50004]);
  t.is((await records.offChainKeys.list(HOLDER)).length, 0);
});
