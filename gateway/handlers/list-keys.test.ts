import test from 'ava';
import { OWNER, STRANGER } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { APP, ownersKey, SP_HOST } from '../testing/keys.ts';

const URL_OF = `http://${SP_HOST}/auth/keys_v2`;

function asking(account: string, domain: string): { headers: Record<string, string> } {
  return { headers: { 'X-Gnfd-User-Address': account, 'X-Gnfd-App-Domain': domain } };
}

test('the valid keys of an account in an application are listed without a signature', async (t) => {
  const { app, records } = testGateway(t);
  const keys = ['11', '22', '33'].map((publicKey, i) => ownersKey({ publicKey, registeredAt: i }));
  for (const key of keys) await records.offChainKeys.register(key);
  await records.offChainKeys.register(ownersKey({ publicKey: '44', expiresAt: Date.now() - 1 }));
  await records.offChainKeys.register(ownersKey({ publicKey: '55', domain: 'https://other.example.com' }));
  const response = await app.request(URL_OF, asking(OWNER.address.toLowerCase(), APP));
  t.is(response.status, 200);
  t.is(response.headers.get('Content-Type'), 'application/xml');
  t.is(
    await response.text(),
    '<ListUserPublicKeyV2Resp><Result>11</Result><Result>22</Result><Result>33</Result></ListUserPublicKeyV2Resp>',
  );
});

test('an account without keys gets an empty list', async (t) => {
  const { app } = testGateway(t);
  const response = await app.request(URL_OF, asking(STRANGER.address, APP));
  t.is(await response.text(), '<ListUserPublicKeyV2Resp></ListUserPublicKeyV2Resp>');
});

test('account and application must be named', async (t) => {
  const { app } = testGateway(t);
  const code = async (account: string, domain: string) => {
    const { status, code } = await errorOf(await app.request(URL_OF, asking(account, domain)));
    return [status, code];
  };
  t.deepEqual(await code('', APP), [400, 50009]);
  t.deepEqual(await code('0x12', APP), [400, 50009]);
  t.deepEqual(await code(OWNER.address, ''), [400, 50017]);
});
