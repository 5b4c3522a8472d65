import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { TX_HASH } from '../testing/announcer.ts';
import { bucket, OWNER, object, STRANGER } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { signedRequest } from '../testing/signed-request.ts';

function permitting(...about: Parameters<typeof testGateway>): TestGateway {
  const gateway = testGateway(...about);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT);
  return gateway;
}

function make({ app }: TestGateway, query = 'create-folder=&payload_size=0&visibility=1', by = OWNER) {
  return app.request(signedRequest({ method: 'POST', target: `/letters/?${query}`, by }));
}

test('a folder is created for the client, with the transaction hash in the answer', async (t) => {
  const gateway = permitting(t);
  const response = await make(gateway);
  t.is(response.status, 200);
  t.is(response.headers.get('Content-Type'), 'text/xml', 'the JS SDK in Node knows no other as text');
  t.is(await response.text(), `<CreateHash><TxHash>${TX_HASH}</TxHash></CreateHash>`);
  t.deepEqual(gateway.announcer.announcements, [
    {
      kind: 'create-object',
      creator: OWNER.address,
      bucketName: 'photos',
      objectName: 'letters/',
      payloadSize: 0,
      contentType: 'application/octet-stream',
      visibility: 'PUBLIC_READ',
    },
  ]);
  t.deepEqual(gateway.pipeline.requests, []);
});

test('the request of the Go SDK, without a size, is accepted', async (t) => {
  const gateway = permitting(t);
  t.is((await make(gateway, 'create-folder=&visibility=0')).status, 200);
  t.like(gateway.announcer.announcements[0], { payloadSize: 0, visibility: 'INHERIT' });
});

test('an existing object is not created again as a folder', async (t) => {
  for (const status of ['CREATED', 'SEALED'] as const) {
    const gateway = permitting(t);
    gateway.chain.objects = [{ object: object({ objectName: 'letters/', payloadSize: 10, status }) }];
    const refusal = await make(gateway);
    t.is(refusal.headers.get('Content-Type'), 'text/xml');
    t.like(await errorOf(refusal), { status: 400, code: 50010 });
    t.deepEqual(gateway.announcer.announcements, []);
  }
  const gateway = permitting(t);
  gateway.announcer.quicker = {};
  t.like(await errorOf(await make(gateway)), { status: 400, code: 50010 });
});

test('nothing is created without permission, with bad parameters or beyond the limit', async (t) => {
  const gateway = permitting(t, { limits: { maxUploads: 1 } });
  const query = 'create-folder=&visibility=';
  t.like(await errorOf(await make(gateway, `${query}9`)), { status: 400, code: 50010 });
  t.like(await errorOf(await make(gateway, `${query}0`, STRANGER)), { status: 401, code: 50004 });
  gateway.chain.buckets = [bucket({ delegatedAgentDisabled: true })];
  t.like(await errorOf(await make(gateway)), { status: 401, code: 50004 });
  t.deepEqual(gateway.announcer.announcements, []);
  gateway.chain.buckets = [bucket({})];
  gateway.announcer.before = async () => {
    t.like(await errorOf(await make(gateway)), { status: 406, code: 60003 });
  };
  t.is((await make(gateway)).status, 200);
  t.is(gateway.announcer.announcements.length, 1);
});

test('a visibility that is not one of the four numbers is refused, whatever its text means in JavaScript', async (t) => {
  const gateway = testGateway(t);
  for (const visibility of ['4', '01', 'constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const { status, code } = await errorOf(await make(gateway, `create-folder=&visibility=${visibility}`));
    t.deepEqual([status, code], [400, 50010], visibility);
  }
  t.is(gateway.announcer.announcements.length, 0);
});
