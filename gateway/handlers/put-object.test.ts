import test from 'ava';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { Action } from '#protocols/greenfield/types';
import { gate, until } from '#runtime/actors/testing';
import { bucket, MAINTAINER, OWNER, object, provider, STRANGER, type TestChain } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { signedRequest } from '../testing/signed-request.ts';

const PAYLOAD = '0123456789';

test('a payload is handed to the pipeline with the job that the chain describes', async (t) => {
  const { app, chain, pipeline, log } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const response = await app.request(signedRequest({}, PAYLOAD));
  t.is(response.status, 200);
  t.is(await response.text(), '');
  t.is(response.headers.get('X-Sealion-Durability'), 'crash-safe');
  t.regex(response.headers.get('X-Gnfd-Request-ID') ?? '', /^[0-9a-f-]{36}$/);
  t.is(pipeline.taken.get('4711.0')?.toString(), PAYLOAD);
  t.is(pipeline.requests[0]?.account, OWNER.address);
  t.deepEqual(pipeline.requests[0]?.object, {
    bucketName: 'photos',
    objectName: 'a.jpg',
    owner: OWNER.address,
    contentType: 'image/jpeg',
    payloadSize: 10,
    redundancy: 'EC',
    checksums: ['00', '11', '22', '33', '44', '55', '66'],
    maxSegmentSize: 4,
    dataChunks: 4,
    parityChunks: 2,
    familyId: 7,
    primarySpId: 1,
    createdAt: 2000,
    isUpdate: false,
  });
  t.deepEqual(chain.paramsAskedAt, [2000]);
  const [line] = log.lines;
  t.is(log.lines.length, 1);
  t.is(line?.requestId, response.headers.get('X-Gnfd-Request-ID'));
  t.like(line, { method: 'PUT', bucket: 'photos', object: 'a.jpg', status: 200, bytes: 10 });
});

test('path style, names with slashes, Unicode and markup reach the same object', async (t) => {
  const names = ['a/b c+d.jpg', '海狮/🦭.txt', '<&>"\'', '100%', 'folder/x'];
  const { app, chain, pipeline } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  chain.objects = names.map((objectName, i) => ({ object: object({ objectName, id: String(i + 1) }) }));
  for (const [i, name] of names.entries()) {
    const path = name.split('/').map(encodeURIComponent).join('/');
    for (const request of [
      { host: 'photos.sp1.localhost', target: `/${path}` },
      { host: 'sp1.localhost:9033', target: `/photos/${path}` },
    ]) {
      const response = await app.request(signedRequest(request, PAYLOAD));
      t.is(response.status, 200, name);
      t.is(pipeline.requests.at(-1)?.job.objectId, String(i + 1));
    }
  }
});

test('the host may be signed with or without its port', async (t) => {
  const { app, chain } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const host = 'photos.sp1.localhost:9033';
  for (const signedHost of [host, 'photos.sp1.localhost']) {
    const response = await app.request(signedRequest({ host, signedHost }, PAYLOAD));
    t.is(response.status, 200, signedHost);
  }
  const other = await app.request(signedRequest({ host, signedHost: 'other.sp1.localhost' }, PAYLOAD));
  t.is((await errorOf(other)).code, 50004);
});

test('the signature covers method, path, query and headers', async (t) => {
  const { app, chain } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const good = signedRequest({ target: '/a.jpg?x=1', headers: { 'Content-Type': 'text/plain' } }, PAYLOAD);
  t.is((await app.request(good)).status, 200);
  const { headers } = signedRequest({ target: '/a.jpg?x=1', headers: { 'Content-Type': 'text/plain' } });
  const changed = [
    new Request('http://photos.sp1.localhost/a.jpg?x=2', { method: 'PUT', headers, body: PAYLOAD }),
    new Request('http://photos.sp1.localhost/a.jpg', { method: 'PUT', headers, body: PAYLOAD }),
  ];
  headers.set('Content-Type', 'text/html');
  changed.push(
    new Request('http://photos.sp1.localhost/a.jpg?x=1', { method: 'PUT', headers, body: PAYLOAD }),
  );
  for (const request of changed) t.is((await errorOf(await app.request(request))).code, 50004);
});

test('a request must be signed in a known way and for a limited time', async (t) => {
  const { app, chain, pipeline } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const put = async (change: (headers: Headers) => void, expiresInMs = 60_000) => {
    const request = signedRequest({ expiresInMs }, PAYLOAD);
    change(request.headers);
    const { status, code } = await errorOf(await app.request(request));
    return [status, code];
  };
  t.deepEqual(await put((headers) => headers.delete('Authorization')), [400, 50001]);
  t.deepEqual(await put((headers) => headers.set('Authorization', 'Basic abc')), [400, 50001]);
  t.deepEqual(
    await put((headers) => headers.set('Authorization', `GNFD1-EDDSA,Signature=${'ab'.repeat(64)}`)),
    [400, 50001],
  );
  t.deepEqual(
    await put((headers) => headers.set('Authorization', 'GNFD1-ECDSA, Signature=zz')),
    [400, 50002],
  );
  t.deepEqual(
    await put((headers) => headers.set('Authorization', `GNFD1-ECDSA, Signature=${'09'.repeat(65)}`)),
    [400, 50003],
  );
  t.deepEqual(await put((headers) => headers.delete('X-Gnfd-Expiry-Timestamp')), [400, 50023]);
  t.deepEqual(await put(() => {}, -1000), [400, 50023]);
  t.deepEqual(await put(() => {}, 8 * 24 * 3600 * 1000), [400, 50023]);
  t.is(pipeline.requests.length, 0);
});

/** In the order of protocols/greenfield/README.md#uploads. */
const FAULTS: readonly { readonly answer: [status: number, code: number]; put(chain: TestChain): void }[] = [
  {
    answer: [403, 50029],
    put: (chain) => {
      chain.providers = [provider({ status: 'IN_JAILED' })];
    },
  },
  {
    answer: [403, 50036],
    put: (chain) => {
      chain.buckets = [bucket({ status: 'DISCONTINUED' })];
    },
  },
  {
    answer: [404, 20008],
    put: (chain) => {
      chain.objects = [];
    },
  },
  {
    answer: [400, 20002],
    put: (chain) => {
      chain.knownFamilies = [{ id: 7, primarySpId: 2, gvgIds: [] }];
    },
  },
  {
    answer: [400, 20003],
    put: (chain) => {
      chain.objects = [{ object: object({ status: 'SEALED', payloadSize: 0 }) }];
    },
  },
  { answer: [401, 50004], put: (chain) => chain.allowed.clear() },
  {
    answer: [403, 50016],
    put: (chain) => {
      chain.objects = [{ object: object({ payloadSize: 0 }) }];
    },
  },
];

test('each check has its own code, and the first that fails decides', async (t) => {
  for (const [first, { answer }] of FAULTS.entries()) {
    const { app, chain, pipeline } = testGateway(t);
    chain.allow(OWNER, Action.CREATE_OBJECT);
    for (const fault of FAULTS.slice(first).reverse()) fault.put(chain);
    const { status, code, message } = await errorOf(await app.request(signedRequest({}, PAYLOAD)));
    t.deepEqual([status, code], answer, message);
    t.is(pipeline.requests.length, 0);
  }
});

test('a bucket unknown to the chain is 20007', async (t) => {
  const { app, chain } = testGateway(t);
  chain.buckets = [];
  const { status, code } = await errorOf(await app.request(signedRequest({}, PAYLOAD)));
  t.deepEqual([status, code], [404, 20007]);
});

test('the message about a wrong status names the expected and the actual one', async (t) => {
  const { app, chain } = testGateway(t);
  chain.objects = [{ object: object({ status: 'SEALED' }) }];
  const { message } = await errorOf(await app.request(signedRequest({}, PAYLOAD)));
  t.regex(message, /SEALED/);
  t.regex(message, /CREATED/);
});

test('in maintenance only the maintenance account can upload, and still needs permission', async (t) => {
  const { app, chain } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  chain.providers = [provider({ status: 'IN_MAINTENANCE' })];
  const put = async (by: typeof OWNER) => (await app.request(signedRequest({ by }, PAYLOAD))).status;
  t.is(await put(OWNER), 403);
  t.is(await put(MAINTAINER), 401);
  chain.allow(MAINTAINER, Action.CREATE_OBJECT);
  t.is(await put(MAINTAINER), 200);
});

test('a provider that the chain does not list accepts no upload', async (t) => {
  const { app, chain } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  chain.providers = [provider({ id: 2 })];
  t.is((await errorOf(await app.request(signedRequest({}, PAYLOAD)))).code, 50029);
});

test('new content of a sealed object needs the permission to update, and is a job of its own', async (t) => {
  const { app, chain, pipeline } = testGateway(t);
  const update = {
    updater: STRANGER.address,
    payloadSize: 3,
    contentType: 'text/plain',
    checksums: ['aa'],
    updatedAt: 3000,
    version: 2,
  };
  chain.objects = [{ object: object({ status: 'SEALED', isUpdating: true, version: 1 }), update }];
  chain.allow(STRANGER, Action.CREATE_OBJECT);
  t.is((await errorOf(await app.request(signedRequest({ by: STRANGER }, 'abc')))).code, 50004);
  chain.allow(STRANGER, Action.UPDATE_OBJECT_CONTENT);
  t.is((await app.request(signedRequest({ by: STRANGER }, 'abc'))).status, 200);
  t.deepEqual(pipeline.requests[0]?.job, { objectId: '4711', version: 2 });
  t.like(pipeline.requests[0]?.object, {
    payloadSize: 3,
    contentType: 'text/plain',
    checksums: ['aa'],
    createdAt: 3000,
    isUpdate: true,
  });
  t.deepEqual(chain.paramsAskedAt, [3000]);
});

test('parameters are those of the last update, if there was one', async (t) => {
  const { app, chain } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  chain.objects = [{ object: object({ updatedAt: 2500 }) }];
  t.is((await app.request(signedRequest({}, PAYLOAD))).status, 200);
  t.deepEqual(chain.paramsAskedAt, [2500]);
});

test('a payload above the limit of a plain PUT is refused', async (t) => {
  const { app, chain } = testGateway(t, { limits: { maxPayloadSize: 9 } });
  chain.allow(OWNER, Action.CREATE_OBJECT);
  t.is((await errorOf(await app.request(signedRequest({}, PAYLOAD)))).code, 50016);
});

test('a Content-Length that contradicts the chain is refused before the pipeline is called', async (t) => {
  const { app, chain, pipeline } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const request = signedRequest({ headers: { 'Content-Length': '9' } }, '012345678');
  const { status, code } = await errorOf(await app.request(request));
  t.deepEqual([status, code], [400, 110008]);
  t.is(pipeline.requests.length, 0);
});

test('a body without a length is counted', async (t) => {
  const { app, chain, pipeline } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  for (const body of ['01234', '0123456789+']) {
    const stream = new Blob([body]).stream();
    const { status, code } = await errorOf(await app.request(signedRequest({}, stream)));
    t.deepEqual([status, code], [400, 110008], body);
    t.like(pipeline.failures.get('4711.0'), { gatewayCode: 110008 });
  }
});

test('an error of the body takes precedence over that of the pipeline', async (t) => {
  const { app, chain, pipeline } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  pipeline.before = async ({ body }) => {
    try {
      for await (const _ of body);
    } catch (cause) {
      throw new Retryable({ code: 'upload-failed', message: 'm', cause });
    }
  };
  const stream = new Blob(['01234']).stream();
  t.is((await errorOf(await app.request(signedRequest({}, stream)))).code, 110008);
});

test('errors of the pipeline become their codes', async (t) => {
  const { app, chain, pipeline, log } = testGateway(t);
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const cases: [Error, number, number][] = [
    [new Retryable({ code: 'upload-in-progress', message: 'm', gatewayCode: 110003 }), 406, 110003],
    [new Terminal({ code: 'already-uploaded', message: 'm', gatewayCode: 110006 }), 409, 110006],
    [new Terminal({ code: 'integrity', message: 'm', gatewayCode: 110004 }), 406, 110004],
    [new Retryable({ code: 'piece-store-unavailable', message: 'nats://10.0.0.1' }), 500, 115001],
    [new Retryable({ code: 'chain-unavailable', message: 'http://10.0.0.1' }), 500, 55001],
    [new Retryable({ code: 'mailbox-full', message: 'm' }), 406, 60003],
    [new Cancelled({ code: 'aborted', message: 'm' }), 400, 60004],
    [new Error('at /etc/secret'), 500, 999999],
  ];
  for (const [thrown, status, code] of cases) {
    pipeline.before = () => {
      throw thrown;
    };
    const answer = await errorOf(await app.request(signedRequest({}, PAYLOAD)));
    t.deepEqual([answer.status, answer.code], [status, code]);
    t.notRegex(answer.message, /10\.0\.0\.1|secret/);
    t.like(log.lines.at(-1), { status, code });
  }
});

test('advice reaches the client, and markup in a name does not break the answer', async (t) => {
  const { app } = testGateway(t);
  const request = signedRequest({ target: '/%3CCode%3E1%3C%2FCode%3E%00%26' }, PAYLOAD);
  const { code, message } = await errorOf(await app.request(request));
  t.is(code, 20008);
  t.true(message.includes('&lt;Code&gt;1&lt;/Code&gt;\ufffd&amp;'), message);
  t.regex(message, /Create the object on chain first/);
});

test('an upload above the limit gets "busy" and Retry-After', async (t) => {
  const { app, chain, pipeline } = testGateway(t, { limits: { maxUploads: 1 } });
  chain.allow(OWNER, Action.CREATE_OBJECT);
  const begun = gate();
  const finish = gate();
  pipeline.before = () => {
    begun.open();
    return finish.opened;
  };
  const first = app.request(signedRequest({}, PAYLOAD));
  await begun.opened;
  const second = await app.request(signedRequest({}, PAYLOAD));
  t.is(second.headers.get('Retry-After'), '5');
  const { status, code } = await errorOf(second);
  t.deepEqual([status, code], [406, 60003]);
  finish.open();
  t.is((await first).status, 200);
  pipeline.before = () => {};
  t.is((await app.request(signedRequest({}, PAYLOAD))).status, 200);
});

test('one client gets half of the slots for uploads, and the next client is still served', async (t) => {
  const { app, chain, pipeline } = testGateway(t, { limits: { maxUploads: 2 } });
  chain.allow(OWNER, Action.CREATE_OBJECT).allow(STRANGER, Action.CREATE_OBJECT);
  const begun = gate();
  const finish = gate();
  pipeline.before = () => {
    pipeline.before = () => {};
    begun.open();
    return finish.opened;
  };
  const first = app.request(signedRequest({}, PAYLOAD));
  await begun.opened;
  const second = await app.request(signedRequest({}, PAYLOAD));
  t.is(second.status, 406);
  t.is((await app.request(signedRequest({ by: STRANGER }, PAYLOAD))).status, 200);
  finish.open();
  t.is((await first).status, 200);
});

test('gateways share the uploads of the provider, and each accepts one at least', async (t) => {
  let gateways = 2;
  const { app, chain, pipeline } = testGateway(t, { limits: { maxUploads: 4 }, gateways: () => gateways });
  chain.allow(OWNER, Action.CREATE_OBJECT).allow(STRANGER, Action.CREATE_OBJECT);
  const finish = gate();
  pipeline.before = () => finish.opened;
  const put = (by = OWNER) => app.request(signedRequest({ by }, PAYLOAD));
  const begun = [put(), put(STRANGER)];
  await until(() => pipeline.requests.length === 2);
  t.is((await put()).status, 406);
  gateways = 1;
  begun.push(put());
  await until(() => pipeline.requests.length === 3);
  finish.open();
  for (const one of begun) t.is((await one).status, 200);
  gateways = 9;
  t.is((await put()).status, 200);
});

test('an object or update unknown to our chain node is waited for', async (t) => {
  const sealed = object({ status: 'SEALED' });
  const update = { updater: OWNER.address, payloadSize: 10, contentType: '', updatedAt: 1, version: 1 };
  const updating = { object: { ...sealed, isUpdating: true }, update: { ...update, checksums: [] } };
  for (const [before, after, id] of [
    [[], [{ object: object({}) }], '4711.0'],
    [[{ object: sealed }], [updating], '4711.1'],
  ] as const) {
    const { app, chain, pipeline } = testGateway(t);
    chain.allow(OWNER, Action.CREATE_OBJECT).allow(OWNER, Action.UPDATE_OBJECT_CONTENT);
    chain.objects = [...before];
    chain.latestBlock = async () => {
      chain.objects = [...after];
      return { height: 8, time: Date.now() + 60_000 };
    };
    t.is((await app.request(signedRequest({}, PAYLOAD))).status, 200);
    t.is(pipeline.taken.get(id)?.toString(), PAYLOAD);
  }
});
