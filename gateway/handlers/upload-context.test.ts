import test from 'ava';
import type { JobContext } from '#protocols/job/context';
import { object, STRANGER } from '../testing/chain.ts';
import { errorOf, type TestGateway, testGateway } from '../testing/gateway.ts';
import { jobContext } from '../testing/pipeline.ts';
import { signedRequest } from '../testing/signed-request.ts';

async function offset({ app }: TestGateway): Promise<string> {
  const response = await app.request(
    signedRequest({ method: 'GET', target: '/a.jpg?upload-context', by: STRANGER }),
  );
  t200(response);
  return response.text();
}

function t200(response: Response): void {
  if (response.status !== 200 || response.headers.get('Content-Type') !== 'application/xml') {
    throw new Error(`${response.status} ${response.headers.get('Content-Type')}`);
  }
}

const xml = (bytes: number) =>
  `<QueryResumeOffset version="1.0"><Offset>${bytes}</Offset></QueryResumeOffset>`;

/** The object has segments of 4 bytes. */
const CASES: readonly [name: string, over: Partial<JobContext> | undefined, offset: number][] = [
  ['was never begun', undefined, 0],
  ['comes in one piece', { state: 'UPLOAD_OBJECT_DOING' }, 0],
  ['waits for its first part', { state: 'UPLOAD_OBJECT_DOING', storedSegments: {} }, 0],
  [
    'has two segments and a gap',
    { state: 'UPLOAD_OBJECT_DOING', storedSegments: { 0: 'aa', 1: 'bb', 3: 'dd' } },
    8,
  ],
  ['has failed', { state: 'UPLOAD_OBJECT_ERROR' }, 0],
  [
    'is complete',
    { state: 'UPLOAD_OBJECT_DONE', payload: { segmentChecksums: ['aa', 'bb', 'cc'], integrityHash: 'ff' } },
    12,
  ],
];

for (const [name, over, expected] of CASES) {
  test(`an upload that ${name} resumes from byte ${expected}`, async (t) => {
    const gateway = testGateway(t);
    if (over) gateway.pipeline.contexts.set('4711.0', jobContext(over));
    t.is(await offset(gateway), xml(expected));
  });
}

test('the progress of an update is that of its own version', async (t) => {
  const gateway = testGateway(t);
  const update = {
    updater: STRANGER.address,
    payloadSize: 10,
    contentType: '',
    checksums: [],
    updatedAt: 2000,
    version: 1,
  };
  gateway.chain.objects = [{ object: object({ status: 'SEALED', isUpdating: true }), update }];
  gateway.pipeline.contexts.set(
    '4711.1',
    jobContext({ state: 'UPLOAD_OBJECT_DOING', storedSegments: { 0: 'aa' } }),
  );
  t.is(await offset(gateway), xml(4));

  const again = { ...update, updatedAt: 2005 };
  gateway.chain.objects = [{ object: object({ status: 'SEALED', isUpdating: true }), update: again }];
  t.is(await offset(gateway), xml(0), 'parts of an update that was announced again count for nothing');
});

test('the request must be signed and for an object of ours', async (t) => {
  const { app, chain } = testGateway(t);
  const request = signedRequest({ method: 'GET', target: '/a.jpg?upload-context' });
  request.headers.delete('Authorization');
  t.is((await errorOf(await app.request(request))).code, 50001);
  chain.objects = [];
  const unknown = await app.request(signedRequest({ method: 'GET', target: '/a.jpg?upload-context' }));
  t.is((await errorOf(unknown)).code, 20008);
});
