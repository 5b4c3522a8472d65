import test from 'ava';
import { toHex } from '#protocols/greenfield/hex';
import { personalDigest } from '#protocols/greenfield/personal-signature';
import { signDigest } from '#protocols/greenfield/signature';
import { Action } from '#protocols/greenfield/types';
import { OWNER, object, provider, type Signer, STRANGER } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { SP_HOST, timestamp } from '../testing/keys.ts';

const SP = `http://${SP_HOST}`;

function sealed(gateway: TestGateway, visibility: 'PRIVATE' | 'PUBLIC_READ', objectName = 'a b/c.jpg'): void {
  gateway.chain.objects = [{ object: object({ status: 'SEALED', payloadSize: 0, objectName, visibility }) }];
}

async function refusal({ app }: TestGateway, url: string): Promise<[number, number]> {
  const { status, code } = await errorOf(await app.request(url));
  return [status, code];
}

test('a public object is shown or saved, by its path or by objectPath', async (t) => {
  const gateway = testGateway(t);
  sealed(gateway, 'PUBLIC_READ');
  for (const [path, disposition] of [
    ['/view/photos/a%20b/c.jpg', 'inline'],
    ['/view?objectPath=photos/a%20b/c.jpg', 'inline'],
    ['/download/photos/a%20b/c.jpg', 'attachment'],
    ['/download?objectPath=photos%2Fa+b%2Fc.jpg', 'attachment'],
  ] as const) {
    const response = await gateway.app.request(`${SP}${path}`);
    t.is(response.status, 200, path);
    t.is(response.headers.get('Content-Type'), 'image/jpeg');
    const { headers } = response;
    t.is(headers.get('Content-Disposition'), `${disposition}; filename="c.jpg"; filename*=UTF-8''c.jpg`);
    t.is(headers.get('X-Content-Type-Options'), 'nosniff');
    t.is(headers.get('Content-Security-Policy')?.includes('sandbox'), disposition === 'inline' || undefined);
  }
});

test('an object of another primary is redirected to that primary', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.knownFamilies = [{ id: 7, primarySpId: 2, gvgIds: [] }];
  gateway.chain.providers.push(provider({ id: 2, endpoint: 'https://sp2.example.com:9033' }));
  for (const path of ['/view/photos/a%20b/c.jpg?x=1', '/download?objectPath=photos/a%20b/c.jpg']) {
    const response = await gateway.app.request(`${SP}${path}`);
    t.is(response.status, 302);
    t.is(response.headers.get('Location'), `https://sp2.example.com:9033${path}`);
  }
  for (const endpoint of ['', 'sp2.example.com', 'javascript:alert(1)']) {
    gateway.chain.providers = [provider({ id: 2, endpoint })];
    t.deepEqual(await refusal(gateway, `${SP}/view/photos/a.jpg`), [400, 20002]);
  }
  gateway.chain.knownFamilies = [];
  t.deepEqual(await refusal(gateway, `${SP}/view/photos/a.jpg`), [400, 20002]);
});

test('only sealed objects are served', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.objects = [{ object: object({ visibility: 'PUBLIC_READ' }) }];
  for (const path of [
    'view/photos/a.jpg',
    'view/photos/b.jpg',
    'download/other/a.jpg',
    'view',
    'view/photos',
  ]) {
    t.deepEqual(await refusal(gateway, `${SP}/${path}`), [404, 50025], path);
  }
});

/** The query that gives access to a private object, with its text signed by a wallet. */
function opening(by: Signer, { expiresInMs = 60_000, uri = 'gnfd://photos/a b/c.jpg' } = {}): string {
  const expiry = timestamp(expiresInMs);
  const text = `Sign this message to access the file:\n${uri}\nThis signature will not cost you any fees.\nExpiration Time: ${expiry}`;
  const signature = `0x${toHex(signDigest(personalDigest(text), by.key))}`;
  return String(new URLSearchParams({ 'X-Gnfd-Expiry-Timestamp': expiry, signature }));
}

test('a private object needs the signature of a wallet that may read it', async (t) => {
  const gateway = testGateway(t);
  gateway.chain.allow(OWNER, Action.GET_OBJECT);
  sealed(gateway, 'PRIVATE');
  const url = `${SP}/view/photos/a%20b/c.jpg`;
  t.is((await gateway.app.request(`${url}?${opening(OWNER)}`)).status, 200);
  t.deepEqual(await refusal(gateway, url), [403, 50026]);
  t.deepEqual(await refusal(gateway, `${url}?${opening(STRANGER)}`), [403, 50026]);
  const other = opening(OWNER, { uri: 'gnfd://photos/other.jpg' });
  t.deepEqual(await refusal(gateway, `${url}?${other}`), [403, 50026]);
  t.deepEqual(await refusal(gateway, `${url}?${opening(OWNER, { expiresInMs: -1000 })}`), [400, 50024]);
  const late = opening(OWNER, { expiresInMs: 8 * 24 * 3600 * 1000 });
  t.deepEqual(await refusal(gateway, `${url}?${late}`), [400, 50024]);
  const malformed = opening(OWNER).replace(/signature=.*/, 'signature=0x00');
  t.deepEqual(await refusal(gateway, `${url}?${malformed}`), [406, 50015]);
});
