import test from 'ava';
import { RECOMMENDED_FAMILY_PATH } from '#protocols/greenfield/creation-approval';
import type { GlobalVirtualGroup } from '#protocols/greenfield/types';
import { provider, SP_ID, type TestChain } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { SP_HOST } from '../testing/keys.ts';
import { signedRequest } from '../testing/signed-request.ts';

const SECONDARIES = [2, 3, 4, 5, 6, 7];

function group(id: number, familyId: number, secondarySpIds: readonly number[]): GlobalVirtualGroup {
  return { id, familyId, primarySpId: SP_ID, secondarySpIds, storedSize: 0, totalDeposit: 1n };
}

/** Adds two families of our provider and one of another. */
function withFamilies(chain: TestChain): void {
  chain.providers = [1, ...SECONDARIES, 8].map((id) =>
    provider({ id, status: id === 8 ? 'GRACEFUL_EXITING' : 'IN_SERVICE' }),
  );
  chain.knownFamilies = [
    { id: 7, primarySpId: SP_ID, gvgIds: [1] },
    { id: 8, primarySpId: SP_ID, gvgIds: [2] },
    { id: 9, primarySpId: 2, gvgIds: [3] },
  ];
  chain.groups = [group(1, 7, SECONDARIES), group(2, 8, SECONDARIES), group(3, 9, SECONDARIES)];
  chain.free.set(1, 10).set(2, 20).set(3, 99);
}

function ask(): Request {
  return signedRequest({ method: 'GET', host: SP_HOST, target: RECOMMENDED_FAMILY_PATH });
}

test('the family with the most room is recommended, in the words of the Go SP', async (t) => {
  const { app, chain } = testGateway(t);
  withFamilies(chain);
  const response = await app.request(ask());
  t.is(response.status, 200);
  t.is(response.headers.get('Content-Type'), 'application/xml');
  t.is(await response.text(), '<VirtualGroupFamily><Id>8</Id></VirtualGroupFamily>');
});

test('a family whose groups cannot seal is not recommended', async (t) => {
  for (const members of [
    [2, 3, 4, 5, 6, 8],
    [2, 3, 4, 5, 6],
  ]) {
    const { app, chain } = testGateway(t);
    withFamilies(chain);
    chain.groups[1] = group(2, 8, members);
    t.regex(await (await app.request(ask())).text(), /<Id>7</);
  }
});

test('while no family has room the client is asked to try again', async (t) => {
  const { app, chain } = testGateway(t);
  withFamilies(chain);
  chain.free.set(1, 0).set(2, 0);
  const response = await app.request(ask());
  t.truthy(response.headers.get('Retry-After'));
  t.like(await errorOf(response), { status: 500, code: 540001 });
  chain.free.set(1, 1);
  t.is((await app.request(ask())).status, 200);
});

test('the request must be signed', async (t) => {
  const { app } = testGateway(t);
  const response = await app.request(`http://${SP_HOST}${RECOMMENDED_FAMILY_PATH}`);
  t.like(await errorOf(response), { status: 400, code: 50001 });
});
