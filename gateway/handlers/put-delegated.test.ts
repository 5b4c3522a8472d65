import test from 'ava';
import type { NewContent, NewObject } from '#actors/messages';
import { Retryable } from '#protocols/errors';
import { Action } from '#protocols/greenfield/types';
import { CREATED_AT, CREATED_ID } from '../testing/announcer.ts';
import { bucket, OWNER, object, provider, STRANGER } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { signedRequest } from '../testing/signed-request.ts';

const PAYLOAD = '0123456789';
const NEW = 'delegate=&is_update=false&payload_size=10&visibility=1';
const UPDATE = 'delegate=&is_update=true&payload_size=10';

/** A gateway with a chain that allows the owner to create objects, and a stranger by a policy of the owner. */
function permitting(...about: Parameters<typeof testGateway>): TestGateway {
  const gateway = testGateway(...about);
  gateway.chain.allow(OWNER, Action.CREATE_OBJECT).allow(STRANGER, Action.CREATE_OBJECT);
  return gateway;
}

function put({ app }: TestGateway, query = NEW, more: Parameters<typeof signedRequest>[0] = {}) {
  return app.request(signedRequest({ target: `/new?${query}`, ...more }, PAYLOAD));
}

test('an object is created for the client, and its payload accepted', async (t) => {
  const gateway = permitting(t);
  const headers = { 'Content-Type': 'text/plain' };
  const response = await put(gateway, NEW, { headers, by: STRANGER });
  t.is(response.status, 200);
  t.is(await response.text(), '');
  t.is(response.headers.get('X-Sealion-Durability'), 'crash-safe');
  t.deepEqual(gateway.announcer.announcements, [
    {
      kind: 'create-object',
      creator: STRANGER.address,
      bucketName: 'photos',
      objectName: 'new',
      payloadSize: 10,
      contentType: 'text/plain',
      visibility: 'PUBLIC_READ',
    },
  ]);
  const [request] = gateway.pipeline.requests;
  t.deepEqual(request?.job, { objectId: CREATED_ID, version: 0 });
  t.is(request?.account, STRANGER.address);
  t.like(request?.object, { payloadSize: 10, checksums: [], createdAt: CREATED_AT, isUpdate: false });
  t.is(gateway.pipeline.taken.get(`${CREATED_ID}.0`)?.toString(), PAYLOAD);
});

test('a client does not notice that another node takes over the announcements', async (t) => {
  const gateway = permitting(t);
  const failures = ['answerer-silent', 'nobody-answers', 'role-lost'];
  gateway.announcer.before = () => {
    const code = failures.shift();
    if (code) throw new Retryable({ code, message: 'Not now.' });
  };
  t.is((await put(gateway)).status, 200);
  t.deepEqual(failures, []);
});

for (const [visibility, meant] of [
  ['', 'INHERIT'],
  ['&visibility=', 'INHERIT'],
  ['&visibility=0', 'INHERIT'],
  ['&visibility=2', 'PRIVATE'],
  ['&visibility=3', 'INHERIT'],
] as const) {
  test(`omitted parameters have their usual values: "${visibility}"`, async (t) => {
    const gateway = permitting(t);
    t.is((await put(gateway, `delegate&payload_size=10${visibility}`)).status, 200);
    const [announced] = gateway.announcer.announcements as NewObject[];
    t.is(announced?.visibility, meant);
    t.is(announced?.contentType, 'application/octet-stream');
  });
}

for (const [query, status, code] of [
  ['delegate', 400, 50010],
  ['delegate&payload_size=-1', 400, 50010],
  ['delegate&payload_size=1e1', 400, 50010],
  ['delegate&payload_size=10&is_update=maybe', 400, 50010],
  ['delegate&payload_size=10&visibility=4', 400, 50010],
  ['delegate&payload_size=10&visibility=x', 400, 50010],
  ['delegate&payload_size=0', 403, 50016],
  ['delegate&payload_size=1000000001', 403, 50016],
] as const) {
  test(`nothing is announced for bad parameters: ${query}`, async (t) => {
    const gateway = permitting(t);
    t.like(await errorOf(await put(gateway, query)), { status, code });
    t.deepEqual(gateway.announcer.announcements, []);
  });
}

test('nothing is announced for a body of another size', async (t) => {
  const gateway = permitting(t);
  const headers = { 'Content-Length': '9' };
  t.like(await errorOf(await put(gateway, NEW, { headers })), { status: 400, code: 110008 });
  t.deepEqual(gateway.announcer.announcements, []);
});

test('nothing is announced for a payload too large for one PUT', async (t) => {
  const gateway = permitting(t, { limits: { maxPayloadSize: 9 } });
  t.like(await errorOf(await put(gateway)), { status: 403, code: 50016 });
  t.deepEqual(gateway.announcer.announcements, []);
});

test('nothing is announced without permission to upload, or where the provider may not act', async (t) => {
  const refused = async (status: number, code: number, change: (gateway: TestGateway) => void) => {
    const gateway = permitting(t);
    change(gateway);
    t.like(await errorOf(await put(gateway)), { status, code });
    t.deepEqual(gateway.announcer.announcements, []);
  };
  await refused(401, 50004, ({ chain }) => chain.allowed.clear());
  await refused(403, 50029, ({ chain }) => {
    chain.providers = [provider({ status: 'IN_JAILED' })];
  });
  await refused(403, 50036, ({ chain }) => {
    chain.buckets = [bucket({ status: 'MIGRATING' })];
  });
  await refused(404, 20007, ({ chain }) => {
    chain.buckets = [];
  });
  await refused(400, 20002, ({ chain }) => {
    chain.knownFamilies = [{ id: 7, primarySpId: 2, gvgIds: [] }];
  });
  await refused(401, 50004, ({ chain }) => {
    chain.buckets = [bucket({ delegatedAgentDisabled: true })];
  });
});

test('an upload that was interrupted after its announcement continues', async (t) => {
  for (const over of [{ creator: STRANGER.address }, { owner: STRANGER.address }]) {
    const gateway = permitting(t);
    gateway.chain.objects = [{ object: object({ objectName: 'new', checksums: [], ...over }) }];
    t.is((await put(gateway, NEW, { by: STRANGER })).status, 200);
    t.deepEqual(gateway.announcer.announcements, []);
    t.is(gateway.pipeline.taken.get('4711.0')?.toString(), PAYLOAD);
  }
});

test('an object that waits for other content, or for none, is left alone', async (t) => {
  for (const over of [
    { creator: STRANGER.address, owner: STRANGER.address },
    { payloadSize: 11 },
    { status: 'SEALED' } as const,
  ]) {
    const gateway = permitting(t);
    gateway.chain.objects = [{ object: object({ objectName: 'new', ...over }) }];
    t.like(await errorOf(await put(gateway)), { status: 400, code: 50010 });
    t.deepEqual(gateway.announcer.announcements, []);
    t.deepEqual(gateway.pipeline.requests, []);
  }
});

test('a payload is refused when another one was announced first for the same name', async (t) => {
  const gateway = permitting(t);
  gateway.announcer.quicker = { payloadSize: 11 };
  t.like(await errorOf(await put(gateway)), { status: 400, code: 50010 });
  t.deepEqual(gateway.pipeline.requests, []);
});

test('new content is announced for a sealed object, with the permission to update it', async (t) => {
  const gateway = permitting(t);
  const { chain, announcer, pipeline } = gateway;
  chain.objects = [{ object: object({ objectName: 'new', status: 'SEALED' }) }];
  t.like(await errorOf(await put(gateway, UPDATE, { by: STRANGER })), { status: 401, code: 50004 });
  chain.allow(STRANGER, Action.UPDATE_OBJECT_CONTENT);
  t.is((await put(gateway, UPDATE, { by: STRANGER })).status, 200);
  const content = { bucketName: 'photos', objectName: 'new', payloadSize: 10 };
  const contentType = 'application/octet-stream';
  const expected: NewContent = { kind: 'update-object', updater: STRANGER.address, contentType, ...content };
  t.deepEqual(announcer.announcements, [expected]);
  t.deepEqual(pipeline.requests[0]?.job, { objectId: '4711', version: 1 });
  t.like(pipeline.requests[0]?.object, { isUpdate: true, checksums: [], createdAt: CREATED_AT });
  // and continues where it was interrupted
  t.is((await put(gateway, UPDATE, { by: STRANGER })).status, 200);
  t.is(announcer.announcements.length, 1);
});

test('an update waits for its object, and for the update before it', async (t) => {
  const refused = async (status: number, code: number, objects: TestGateway['chain']['objects']) => {
    const gateway = permitting(t);
    gateway.chain.allow(OWNER, Action.UPDATE_OBJECT_CONTENT).objects = objects;
    t.like(await errorOf(await put(gateway, UPDATE)), { status, code });
    t.deepEqual(gateway.announcer.announcements, []);
  };
  const sealed = object({ objectName: 'new', status: 'SEALED' });
  const updating = object({ ...sealed, isUpdating: true });
  const update = {
    updater: OWNER.address,
    payloadSize: 10,
    contentType: '',
    checksums: [],
    updatedAt: 1,
    version: 1,
  };
  await refused(404, 20008, []);
  await refused(400, 20003, [{ object: object({ objectName: 'new' }) }]);
  await refused(400, 50010, [{ object: updating, update: { ...update, updater: STRANGER.address } }]);
  await refused(400, 50010, [{ object: updating, update: { ...update, payloadSize: 11 } }]);
  await refused(500, 55001, [{ object: updating }]);
});

test('no more objects are announced than can be uploaded', async (t) => {
  const gateway = permitting(t, { limits: { maxUploads: 0 } });
  t.like(await errorOf(await put(gateway)), { status: 406, code: 60003 });
  t.deepEqual(gateway.announcer.announcements, []);
});

test('the client gets the reason of a refused announcement, and the slot is freed', async (t) => {
  const gateway = permitting(t, { limits: { maxUploads: 1 } });
  gateway.announcer.before = () => {
    throw new Retryable({ code: 'creation-timeout', message: 'The creation was not in a block.' });
  };
  const late = await put(gateway);
  t.truthy(late.headers.get('Retry-After'));
  t.like(await errorOf(late), { status: 500, code: 55001 });
  gateway.announcer.before = () => {};
  t.is((await put(gateway)).status, 200);
});

test('a bucket unknown to our chain node is waited for', async (t) => {
  const gateway = permitting(t);
  gateway.chain.buckets = [];
  gateway.chain.latestBlock = async () => {
    gateway.chain.buckets = [bucket({})];
    return { height: 8, time: Date.now() + 60_000 };
  };
  t.is((await put(gateway)).status, 200);
});

test('an account that has used up its announcements is told when to try again', async (t) => {
  const gateway = permitting(t);
  gateway.announcer.before = () => {
    const facts = { code: 'too-many-announcements', message: 'enough', gatewayCode: 60003 };
    throw new Retryable({ ...facts, retryAfterMs: 1_800_000 });
  };
  const refused = await put(gateway);
  t.is(refused.headers.get('Retry-After'), '1800');
  t.like(await errorOf(refused), { status: 406, code: 60003 });
});

test('announcing for clients can be switched off', async (t) => {
  const gateway = permitting(t, { limits: { delegation: { enabled: false } } });
  t.like(await errorOf(await put(gateway)), { status: 400, code: 50008 });
  const folder = signedRequest({ method: 'POST', target: '/f/?create-folder=' });
  t.like(await errorOf(await gateway.app.request(folder)), { status: 400, code: 50008 });
  t.is(gateway.announcer.announcements.length, 0);
});
