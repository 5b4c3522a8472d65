import test from 'ava';
import { Action } from '#protocols/greenfield/types';
import { OWNER, object } from '../testing/chain.ts';
import { errorOf, testGateway } from '../testing/gateway.ts';
import { jobContext } from '../testing/pipeline.ts';
import { signedRequest } from '../testing/signed-request.ts';

const URL_OF = 'http://photos.sp1.localhost/a.jpg';
const VIEW = 'http://sp1.localhost/view/photos/a.jpg';
const DOWNLOAD = 'http://sp1.localhost/download/photos/a.jpg';
const SEALED = { status: 'SEALED', visibility: 'PUBLIC_READ', payloadSize: 0 } as const;

/** A gateway with an object that tests can replace. It is empty, so nothing needs to be stored. */
function gateway(t: Parameters<typeof testGateway>[0], over: Parameters<typeof object>[0] = {}) {
  const made = testGateway(t);
  const show = (changed: Parameters<typeof object>[0]) => {
    made.chain.objects = [{ object: object({ ...SEALED, ...changed }) }];
  };
  show(over);
  return { ...made, show };
}

test('a cached object is not sent again, by whatever address it was read', async (t) => {
  const { app } = gateway(t);
  for (const url of [URL_OF, VIEW, DOWNLOAD]) {
    const first = await app.request(url);
    t.is(first.status, 200);
    const etag = first.headers.get('ETag') ?? '';
    const modified = first.headers.get('Last-Modified') ?? '';
    t.is(etag, '"4711.0-00"');
    t.is(modified, 'Thu, 01 Jan 1970 00:33:20 GMT');
    for (const headers of [{ 'If-None-Match': etag }, { 'If-Modified-Since': modified }]) {
      for (const method of ['GET', 'HEAD']) {
        const again = await app.request(url, { method, headers });
        t.is(again.status, 304);
        t.is(again.headers.get('ETag'), etag);
        t.is(again.headers.get('Cache-Control'), first.headers.get('Cache-Control'));
        t.false(again.headers.has('Content-Type'));
        t.is(await again.text(), '');
      }
    }
  }
});

test('each content has an entity tag of its own', async (t) => {
  const { app, show } = gateway(t);
  const tags = new Set<string | null>();
  const contents = [{}, { id: '4712' }, { version: 1 }, { checksums: ['11'] }, { checksums: [] }];
  for (const change of [...contents, { checksums: [], createdAt: 2001 }]) {
    show(change);
    tags.add((await app.request(URL_OF)).headers.get('ETag'));
  }
  t.is(tags.size, 6);
  for (const tag of tags) t.regex(tag ?? '', /^"[\x21\x23-\x7e]+"$/);
});

test('a part of a content that was replaced is answered with the whole of the new one, or refused', async (t) => {
  const { app, show } = gateway(t);
  const etag = (await app.request(URL_OF)).headers.get('ETag') ?? '';
  show({ version: 1, updatedAt: 3000, checksums: ['11'] });
  const resumed = await app.request(URL_OF, { headers: { Range: 'bytes=5-', 'If-Range': etag } });
  t.is(resumed.status, 200);
  const refused = await app.request(URL_OF, { headers: { 'If-Match': etag } });
  t.deepEqual(await errorOf(refused).then(({ status, code }) => [status, code]), [412, 50412]);
  const modified = { 'If-None-Match': etag };
  t.is((await app.request(URL_OF, { headers: modified })).status, 200);
});

test('the entity tag of an object that is uploaded and not sealed is the one that it keeps', async (t) => {
  const { app, pipeline, show } = gateway(t, { status: 'CREATED', checksums: [] });
  const context = jobContext({
    state: 'REPLICATE_OBJECT_DOING',
    payload: { segmentChecksums: [], integrityHash: 'abcd', checksums: ['abcd'] },
  });
  const job = { ...context.object, payloadSize: 0, checksums: [] };
  pipeline.contexts.set('4711.0', { ...context, object: job });
  const before = await app.request(URL_OF);
  t.is(before.status, 200);
  t.is(before.headers.get('ETag'), '"4711.0-abcd"');
  t.is(before.headers.get('Cache-Control'), 'private, no-store');
  show({ checksums: ['abcd'] });
  t.is((await app.request(URL_OF)).headers.get('ETag'), '"4711.0-abcd"');
});

test('only public objects may be cached, and not for long', async (t) => {
  const { app, chain, show } = gateway(t);
  chain.allow(OWNER, Action.GET_OBJECT);
  const caching = async () => {
    const response = await app.request(signedRequest({ method: 'GET' }));
    t.is(response.status, 200);
    return response.headers.get('Cache-Control');
  };
  t.is(await caching(), 'public, max-age=5, must-revalidate');
  show({ visibility: 'PRIVATE' });
  t.is(await caching(), 'private, no-store');
});

test('a client that may not read an object does not learn whether it changed', async (t) => {
  const { app } = gateway(t, { visibility: 'PRIVATE' });
  for (const headers of [{ 'If-None-Match': '*' }, { 'If-Match': '"x"' }]) {
    const response = await app.request(URL_OF, { headers });
    t.false(response.headers.has('ETag'));
    t.is(response.headers.get('Cache-Control'), 'no-store');
    t.is((await errorOf(response)).code, 50004);
  }
});
