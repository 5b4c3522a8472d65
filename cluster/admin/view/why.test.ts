import test from 'ava';
import type { Failure, JobContext } from '#protocols/job/context';
import { JOB_STATE_NAMES, type JobStateName } from '#protocols/job/states';
import { type WhyFacts, whyNotSealed } from './why.ts';

const T0 = Date.UTC(2026, 10, 27, 7, 0, 0);
const HOUR = 3_600_000;

const FAILURE: Failure = {
  code: 'group-full',
  message: 'SP 4 refuses: it has no room',
  advice: 'Wait until it has.',
  attempt: 3,
  resume: 'ALLOC_SECONDARY_DOING',
  nextTryAt: T0 + 90_000,
};

function context(state: JobStateName, parts: Partial<JobContext> = {}): JobContext {
  return {
    id: { objectId: '4711', version: 0 },
    state,
    revision: 3,
    object: {
      bucketName: 'photos',
      objectName: 'a.jpg',
      owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
      contentType: 'image/jpeg',
      payloadSize: 40,
      redundancy: 'EC',
      checksums: [],
      maxSegmentSize: 16,
      dataChunks: 4,
      parityChunks: 2,
      familyId: 1,
      primarySpId: 1,
      createdAt: 1,
      isUpdate: false,
    },
    createdAt: T0,
    changedAt: T0,
    deadlineAt: T0 + 24 * HOUR,
    uploadAttempt: 1,
    excludedGvgIds: [],
    receipts: {},
    signedSeals: [],
    failedTries: 0,
    failedSeals: 0,
    ...(state.endsWith('_ERROR') && { failure: FAILURE }),
    ...(state === 'OBJECT_DISCONTINUED' && { discontinuedBecause: 'The object is gone from the chain' }),
    ...parts,
  };
}

function why(state: JobStateName, facts: Partial<WhyFacts> = {}, parts: Partial<JobContext> = {}) {
  const owner = { node: 'a', since: T0 };
  return whyNotSealed({ context: context(state, parts), owner, columns: [], now: T0 + 1_000, ...facts });
}

const WITHOUT_OWNER = { owner: undefined } as unknown as Partial<WhyFacts>;

test('every state is explained in one sentence, with and without an owner, before and after the deadline', (t) => {
  for (const state of JOB_STATE_NAMES) {
    for (const facts of [{}, WITHOUT_OWNER, { now: T0 + 25 * HOUR }]) {
      const { why: text } = why(state, facts);
      t.regex(text, /^[A-Z0-9a-z][^\n]{10,300}\.$/, state);
      t.notRegex(text, /undefined|NaN|Invalid|[a-z]_[A-Z]|[A-Z]_[A-Z]/, state);
    }
  }
});

test('a failure says what failed, how often, why, and when it is tried again', (t) => {
  t.deepEqual(why('ALLOC_SECONDARY_ERROR'), {
    why:
      'No group of secondaries could be found, 3 times in a row, and it is tried again at 2026-11-27 07:01:30 UTC: ' +
      'SP 4 refuses: it has no room.',
    advice: 'Wait until it has.',
  });
  t.regex(why('SEAL_OBJECT_ERROR', { now: T0 + 100_000 }).why, /it is tried again now/);
  t.regex(why('UPLOAD_OBJECT_ERROR').why, /the client can upload it until 2026-11-28 07:00:00 UTC/);
});

test('of the secondaries that are awaited the one that has kept it waiting longest is named', (t) => {
  const column = (spId: number, since: number, waitsFor: string) =>
    ({ spId, state: 'moving', activity: { doing: 'offering column', waitsFor, since } }) as const;
  const columns = [
    { spId: 2, state: 'stored' } as const,
    column(3, T0 + 500, 'credit'),
    column(4, T0 + 100, 'an answer'),
  ];
  t.is(
    why('REPLICATE_OBJECT_DOING', { columns }).why,
    '1 of 3 secondaries have their column; SP 4 is awaited longest, since 2026-11-27 07:00:00 UTC: offering column, ' +
      'waits for an answer (awaited: SP 3, SP 4).',
  );
});

test('a job that nobody works on waits in the queue', (t) => {
  t.regex(why('REPLICATE_OBJECT_DOING', WITHOUT_OWNER).why, /waits in the work queue/);
  t.regex(why('UPLOAD_OBJECT_DOING', WITHOUT_OWNER).why, /interrupted/);
  t.regex(why('UPLOAD_OBJECT_DOING', {}, { storedSegments: { 0: 'aa' } }).why, /1 of 3 segments/);
});

test('after the deadline the reject is what is waited for', (t) => {
  const now = T0 + 25 * HOUR;
  t.regex(why('SEAL_OBJECT_ERROR', { now }).why, /not sealed by its deadline, 2026-11-28 07:00:00 UTC/);
  const rejectFailure = { code: 'x', message: 'no money', advice: 'Send some.' };
  t.like(why('SEAL_OBJECT_ERROR', { now }, { rejectFailure }), { advice: 'Send some.' });
});
