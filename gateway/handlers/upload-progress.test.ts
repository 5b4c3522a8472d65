import test from 'ava';
import type { JobContext } from '#protocols/job/context';
import { PROGRESS_TEXT } from '#protocols/job/progress-text';
import { JOB_STATE_NAMES } from '#protocols/job/states';
import { object, STRANGER } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { jobContext } from '../testing/pipeline.ts';
import { signedRequest } from '../testing/signed-request.ts';

const QUERY = { method: 'GET', target: '/a.jpg?upload-progress=' };

async function progress({ app }: TestGateway): Promise<{ description: string; error: string }> {
  const response = await app.request(signedRequest({ ...QUERY, by: STRANGER }));
  const xml = await response.text();
  const match =
    /^<QueryUploadProgress version="1\.0"><ProgressDescription>(.*)<\/ProgressDescription><ErrorDescription>(.*)<\/ErrorDescription><\/QueryUploadProgress>$/.exec(
      xml,
    );
  if (response.status !== 200 || !match) throw new Error(`${response.status} ${xml}`);
  if (response.headers.get('Content-Type') !== 'application/xml') throw new Error('wrong content type');
  return { description: match[1] ?? '', error: match[2] ?? '' };
}

test('an object that was never uploaded is shown as created', async (t) => {
  const gateway = testGateway(t);
  t.deepEqual(await progress(gateway), { description: PROGRESS_TEXT.INIT_UNSPECIFIED, error: '' });
});

test('during an upload, any signed request can read its state', async (t) => {
  const gateway = testGateway(t);
  for (const state of JOB_STATE_NAMES) {
    gateway.pipeline.contexts.set('4711.0', jobContext({ state }));
    t.is((await progress(gateway)).description, PROGRESS_TEXT[state]);
  }
});

test('a failure that will be retried reads as work in progress, with the reason', async (t) => {
  const gateway = testGateway(t);
  const failure: JobContext['failure'] = {
    code: 'offer-refused',
    message: 'SP 4 <draining> & SP 5 refused.',
    advice: 'Nothing to do.',
    attempt: 2,
    resume: 'REPLICATE_OBJECT_DOING',
    nextTryAt: Date.parse('2024-01-02T03:04:05Z'),
  };
  gateway.pipeline.contexts.set('4711.0', jobContext({ state: 'REPLICATE_OBJECT_ERROR', failure }));
  t.deepEqual(await progress(gateway), {
    description: PROGRESS_TEXT.REPLICATE_OBJECT_DOING,
    error: 'SP 4 &lt;draining&gt; &amp; SP 5 refused. Nothing to do. Next try at 2024-01-02T03:04:05.000Z.',
  });
});

test('the reason why an overdue object is not rejected yet is shown', async (t) => {
  const gateway = testGateway(t);
  const rejectFailure = { code: 'reject-refused', message: 'The account is frozen.', advice: 'Deposit BNB.' };
  gateway.pipeline.contexts.set('4711.0', jobContext({ state: 'SEAL_OBJECT_DOING', rejectFailure }));
  t.is((await progress(gateway)).error, 'The account is frozen. Deposit BNB.');
});

test('a failure that waits for the client reads as a failure', async (t) => {
  const gateway = testGateway(t);
  const failure: JobContext['failure'] = {
    code: 'payload-lost',
    message: 'Segment 3 is gone.',
    advice: 'Upload the object again.',
    attempt: 1,
    resume: 'UPLOAD_OBJECT_DOING',
  };
  gateway.pipeline.contexts.set('4711.0', jobContext({ state: 'UPLOAD_OBJECT_ERROR', failure }));
  t.deepEqual(await progress(gateway), {
    description: PROGRESS_TEXT.UPLOAD_OBJECT_ERROR,
    error: 'Segment 3 is gone. Upload the object again.',
  });
});

test('the chain decides once the object is sealed or discontinued', async (t) => {
  const gateway = testGateway(t);
  gateway.pipeline.contexts.set('4711.0', jobContext({ state: 'SEAL_OBJECT_DOING' }));
  gateway.chain.objects = [{ object: object({ status: 'SEALED' }) }];
  t.is((await progress(gateway)).description, PROGRESS_TEXT.SEAL_OBJECT_DONE);
  gateway.chain.objects = [{ object: object({ status: 'DISCONTINUED' }) }];
  t.is((await progress(gateway)).description, PROGRESS_TEXT.OBJECT_DISCONTINUED);
});

test('new content of a sealed object has its own progress', async (t) => {
  const gateway = testGateway(t);
  gateway.pipeline.contexts.set('4711.1', jobContext({ state: 'UPLOAD_OBJECT_DOING' }));
  const update = {
    updater: STRANGER.address,
    payloadSize: 10,
    contentType: '',
    checksums: [],
    updatedAt: 2000,
    version: 1,
  };
  const sealed = object({ status: 'SEALED', isUpdating: true });
  gateway.chain.objects = [{ object: sealed, update }];
  t.is((await progress(gateway)).description, PROGRESS_TEXT.UPLOAD_OBJECT_DOING);
  gateway.chain.objects = [{ object: sealed, update: { ...update, updatedAt: 2005 } }];
  t.is((await progress(gateway)).description, PROGRESS_TEXT.INIT_UNSPECIFIED, 'it was announced again');
  gateway.chain.objects = [{ object: sealed }];
  const { status, code } = await errorOf(await gateway.app.request(signedRequest(QUERY)));
  t.deepEqual([status, code], [500, 55001]);
});

test('a signature is needed, the object must exist, and we must be its primary', async (t) => {
  const { app, chain } = testGateway(t);
  const code = async (request: Request) => (await errorOf(await app.request(request))).code;
  t.is(await code(new Request('http://photos.sp1.localhost/a.jpg?upload-progress')), 50001);
  t.is(await code(signedRequest({ ...QUERY, target: '/b.jpg?upload-progress=' })), 20008);
  chain.knownFamilies = [{ id: 7, primarySpId: 2, gvgIds: [] }];
  t.is(await code(signedRequest(QUERY)), 20002);
  chain.buckets = [];
  t.is(await code(signedRequest(QUERY)), 20007);
});
