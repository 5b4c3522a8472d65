import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { gate } from '#runtime/actors/testing';
import { OWNER, object, provider } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { signedRequest } from '../testing/signed-request.ts';

/** The object has 10 bytes in segments of 4. */
function part(gateway: TestGateway, query: string, body: string, length = String(body.length)) {
  const request = signedRequest(
    { method: 'POST', target: `/a.jpg?${query}`, headers: { 'Content-Length': length } },
    body,
  );
  return gateway.app.request(request);
}

function permitting(...about: Parameters<typeof testGateway>): TestGateway {
  const gateway = testGateway(...about);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  return gateway;
}

test('a part goes to the pipeline with the segments it holds', async (t) => {
  const gateway = permitting(t);
  const response = await part(gateway, 'offset=4&complete=false', '4567');
  t.is(response.status, 200);
  t.is(await response.text(), '');
  t.is(response.headers.get('X-Sealion-Durability'), 'crash-safe');
  const [request] = gateway.pipeline.requests;
  t.deepEqual(request?.job, { objectId: '4711', version: 0 });
  t.deepEqual(request?.part, { firstSegment: 1, segmentCount: 1, complete: false });
  t.is(gateway.pipeline.taken.get('4711.0')?.toString(), '4567');
  t.like(gateway.log.lines[0], { method: 'POST', status: 200, bytes: 4 });
});

test('the last part may be shorter than its segments', async (t) => {
  const gateway = permitting(t);
  t.is((await part(gateway, 'offset=4&complete=true', '456789')).status, 200);
  t.deepEqual(gateway.pipeline.requests[0]?.part, { firstSegment: 1, segmentCount: 2, complete: true });
});

for (const [query, body, code] of [
  ['offset=0&complete=', '0123', 50027],
  ['offset=0&complete=yes', '0123', 50027],
  ['offset=x&complete=maybe', '0123', 50027],
  ['offset=&complete=false', '0123', 50028],
  ['offset=-4&complete=false', '0123', 50028],
  ['offset=4.0&complete=false', '0123', 50028],
  ['offset=2&complete=false', '2345', 50028],
  ['offset=0&complete=false', '012', 50028],
  ['offset=12&complete=true', '0', 50028],
  ['offset=0&complete=true', '', 50028],
  ['offset=8&complete=true', '89+', 110008],
] as const) {
  test(`a part with ?${query} and ${body.length} bytes is refused with ${code} before the pipeline is called`, async (t) => {
    const gateway = permitting(t);
    t.is((await errorOf(await part(gateway, query, body))).code, code);
    t.is(gateway.pipeline.requests.length, 0);
  });
}

test('a part must have the length it declares', async (t) => {
  const gateway = permitting(t);
  const unsized = signedRequest(
    { method: 'POST', target: '/a.jpg?offset=0&complete=false' },
    new Blob(['0123']).stream(),
  );
  t.is((await errorOf(await gateway.app.request(unsized))).code, 50009);
  t.is(gateway.pipeline.requests.length, 0);
  for (const body of ['012', '01234']) {
    t.is((await errorOf(await part(gateway, 'offset=0&complete=false', body, '4'))).code, 110008, body);
  }
});

test('a part needs the same permission as a PUT', async (t) => {
  const gateway = testGateway(t);
  t.is((await errorOf(await part(gateway, 'offset=0&complete=false', '0123'))).code, 50004);
  gateway.chain.objects = [{ object: object({ status: 'SEALED' }) }];
  t.is((await errorOf(await part(gateway, 'offset=0&complete=false', '0123'))).code, 20003);
  gateway.chain.providers = [provider({ status: 'IN_JAILED' })];
  t.is((await errorOf(await part(gateway, 'offset=0&complete=false', '0123'))).code, 50029);
});

test('parts can make up a payload that is too large for one PUT', async (t) => {
  const gateway = permitting(t, { limits: { maxPayloadSize: 9 } });
  t.is((await part(gateway, 'offset=0&complete=false', '0123')).status, 200);
});

test('parts and PUTs share the limit of uploads', async (t) => {
  const gateway = permitting(t, { limits: { maxUploads: 1 } });
  const begun = gate();
  const finish = gate();
  gateway.pipeline.before = () => {
    begun.open();
    return finish.opened;
  };
  const first = part(gateway, 'offset=0&complete=false', '0123');
  await begun.opened;
  t.is((await errorOf(await gateway.app.request(signedRequest({}, '0123456789')))).code, 60003);
  finish.open();
  t.is((await first).status, 200);
});
