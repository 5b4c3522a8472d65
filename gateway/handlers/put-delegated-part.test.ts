import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { CREATED_ID } from '../testing/announcer.ts';
import { OWNER, object } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { signedRequest } from '../testing/signed-request.ts';

/** Of 10 bytes in segments of 4. */
const WHOLE = 'delegate=&is_update=false&payload_size=10&visibility=0';

function permitting(...about: Parameters<typeof testGateway>): TestGateway {
  const gateway = testGateway(...about);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  return gateway;
}

function part({ app }: TestGateway, query: string, body: string, whole = WHOLE) {
  const headers = { 'Content-Length': String(body.length) };
  return app.request(
    signedRequest({ method: 'POST', target: `/new?${query}&${whole}`, headers }, Buffer.from(body)),
  );
}

test('the first part announces the object, and all parts go to the pipeline', async (t) => {
  const gateway = permitting(t);
  const { announcer, pipeline } = gateway;
  t.is((await part(gateway, 'offset=0&complete=false', '0123')).status, 200);
  t.is((await part(gateway, 'offset=4&complete=true', '456789')).status, 200);
  t.is(announcer.announcements.length, 1);
  t.like(announcer.announcements[0], { kind: 'create-object', payloadSize: 10, visibility: 'INHERIT' });
  t.deepEqual(
    pipeline.requests.map(({ job, part }) => ({ job, part })),
    [
      {
        job: { objectId: CREATED_ID, version: 0 },
        part: { firstSegment: 0, segmentCount: 1, complete: false },
      },
      {
        job: { objectId: CREATED_ID, version: 0 },
        part: { firstSegment: 1, segmentCount: 2, complete: true },
      },
    ],
  );
});

test('a payload may be a single part', async (t) => {
  const gateway = permitting(t);
  t.is((await part(gateway, 'offset=0&complete=true', '0123456789')).status, 200);
  t.is(gateway.announcer.announcements.length, 1);
});

for (const [what, query, body, code, whole = WHOLE] of [
  ['that is cut anywhere', 'offset=0&complete=false', '012', 50028],
  ['without its place', 'complete=false', '0123', 50028],
  ['that does not say whether it is the last', 'offset=0', '0123', 50027],
  ['that cannot be the first', 'offset=4&complete=true', '456789', 50010],
  ['of a payload of unknown size', 'offset=0&complete=false', '0123', 50010, 'delegate='],
  // in the form that the JS SDK sends
  [
    'whose size is said to be the payload’s',
    'offset=0&complete=false',
    '0123',
    50010,
    'delegate&payload_size=4',
  ],
] as const) {
  test(`nothing is announced for a part ${what}`, async (t) => {
    const gateway = permitting(t);
    t.like(await errorOf(await part(gateway, query, body, whole)), { status: 400, code });
    t.deepEqual(gateway.announcer.announcements, []);
    t.deepEqual(gateway.pipeline.requests, []);
  });
}

test('the last part of an update, repeated after the seal, does not start another update', async (t) => {
  const gateway = permitting(t);
  gateway.chain.allow(OWNER, Action.UPDATE_OBJECT_CONTENT);
  gateway.chain.objects = [{ object: object({ objectName: 'new', status: 'SEALED', version: 1 }) }];
  const update = WHOLE.replace('false', 'true');
  const again = await part(gateway, 'offset=4&complete=true', '456789', update);
  t.like(await errorOf(again), { status: 400, code: 50010 });
  t.deepEqual(gateway.announcer.announcements, []);
  t.is((await part(gateway, 'offset=0&complete=false', '0123', update)).status, 200);
  t.like(gateway.announcer.announcements[0], { kind: 'update-object', payloadSize: 10 });
});

test('parts are cut by the parameters of the existing object, not the current ones', async (t) => {
  const gateway = permitting(t);
  const { chain } = gateway;
  t.is((await part(gateway, 'offset=0&complete=false', '0123')).status, 200);
  const then = chain.params;
  chain.storageParams = async (at) => (at === undefined ? { ...then, maxSegmentSize: 5 } : then);
  t.is((await part(gateway, 'offset=4&complete=true', '456789')).status, 200);
  t.like(await errorOf(await part(gateway, 'offset=5&complete=true', '56789')), { status: 400, code: 50028 });
});
