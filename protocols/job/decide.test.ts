import test from 'ava';
import { Terminal } from '../errors.ts';
import { checksum, integrityHash } from '../integrity/checksums.ts';
import type { JobCommand } from './commands.ts';
import type { JobContext } from './context.ts';
import { decide } from './decide.ts';
import { isTerminal, JOB_STATE_NAMES, type JobStateName } from './states.ts';
import { after, allocation, FORWARD, failure, HOUR, refusal, run, SEGMENTS } from './testing/commands.ts';
import { nextStates } from './transitions.ts';

test('a job passes through every state without an error', (t) => {
  const seen = new Set<JobStateName>();
  let context: JobContext | undefined;
  for (const command of FORWARD) {
    context = run([command], context);
    seen.add(context.state);
  }
  const expected = JOB_STATE_NAMES.filter(
    (name) => !name.endsWith('_ERROR') && name !== 'OBJECT_DISCONTINUED',
  );
  t.deepEqual([...seen].sort(), [...expected].sort());
  t.is(context?.signedSeals.length, 1);
});

test('each phase fails into its own error state and resumes where the failure says', (t) => {
  const cases: [JobCommand['type'], JobCommand['type'], JobStateName, JobStateName, JobCommand['type']][] = [
    ['StartUpload', 'FailUpload', 'UPLOAD_OBJECT_DOING', 'UPLOAD_OBJECT_ERROR', 'StartUpload'],
    [
      'StartAllocation',
      'FailAllocation',
      'ALLOC_SECONDARY_DOING',
      'ALLOC_SECONDARY_ERROR',
      'StartAllocation',
    ],
    [
      'StartReplication',
      'FailReplication',
      'REPLICATE_OBJECT_DOING',
      'REPLICATE_OBJECT_ERROR',
      'StartReplication',
    ],
    [
      'StartReplication',
      'FailReplication',
      'ALLOC_SECONDARY_DOING',
      'REPLICATE_OBJECT_ERROR',
      'StartAllocation',
    ],
    ['StartSigning', 'FailSigning', 'SIGN_OBJECT_DOING', 'SIGN_OBJECT_ERROR', 'StartSigning'],
    ['StartSeal', 'FailSeal', 'SEAL_OBJECT_DOING', 'SEAL_OBJECT_ERROR', 'StartSeal'],
    ['StartSeal', 'FailSeal', 'SIGN_OBJECT_DOING', 'SEAL_OBJECT_ERROR', 'StartSigning'],
    ['StartSeal', 'FailSeal', 'ALLOC_SECONDARY_DOING', 'SEAL_OBJECT_ERROR', 'StartAllocation'],
  ];
  for (const [doing, failing, resume, error, again] of cases) {
    const failed = run([{ type: failing, at: 20, failure: failure(resume) } as JobCommand], after(doing));
    t.is(failed.state, error);
    t.is(failed.failure?.resume, resume);
    t.is(run([{ type: again, at: 21 } as JobCommand], failed).state, resume);
    t.is(run([{ type: again, at: 21 } as JobCommand], failed).failure, undefined);
  }
});

test('a retry starts only where the failure says', (t) => {
  const failed = run(
    [{ type: 'FailSeal', at: 20, failure: failure('SIGN_OBJECT_DOING') }],
    after('StartSeal'),
  );
  t.is(refusal([{ type: 'StartSeal', at: 21 }], failed), 'job-transition');
  t.is(
    refusal([{ type: 'FailSeal', at: 20, failure: failure('UPLOAD_OBJECT_DOING') }], after('StartSeal')),
    'job-transition',
  );
});

test('failed tries are counted through allocation and replication, until a replication completes', (t) => {
  const once = run(
    [{ type: 'FailReplication', at: 20, failure: failure('ALLOC_SECONDARY_DOING') }],
    after('StartReplication'),
  );
  const twice = run(
    [
      { type: 'StartAllocation', at: 21 },
      allocation(22),
      { type: 'StartReplication', at: 23 },
      { type: 'FailReplication', at: 24, failure: failure('REPLICATE_OBJECT_DOING') },
    ],
    once,
  );
  t.is(twice.failure?.attempt, 2);
  t.is(after('CompleteReplication').failedTries, 0);
});

test('a payload that does not match the chain is refused with the code for the client', (t) => {
  const wrong = [SEGMENTS[1] ?? '', SEGMENTS[0] ?? ''];
  const command: JobCommand = {
    type: 'CompleteUpload',
    at: 3,
    segmentChecksums: wrong,
    integrityHash: integrityHash(wrong),
  };
  const error = t.throws<Terminal>(() => decide(after('StartUpload'), command), { instanceOf: Terminal });
  t.is(error?.gatewayCode, 110004);
  t.is(refusal([{ ...command, segmentChecksums: wrong.slice(1) }], after('StartUpload')), 'segments-missing');
  const other = { ...command, segmentChecksums: SEGMENTS, integrityHash: checksum(Uint8Array.of()) };
  t.is(refusal([other], after('StartUpload')), 'integrity-hash-wrong');
});

test('a second upload is refused while the first runs and after it was acknowledged', (t) => {
  t.is(
    refusal([{ type: 'StartUpload', at: 3, deadlineAt: 24 * HOUR }], after('StartUpload')),
    'upload-in-progress',
  );
  t.is(
    refusal([{ type: 'StartUpload', at: 3, deadlineAt: 24 * HOUR }], after('CompleteUpload')),
    'already-uploaded',
  );
  t.is(
    refusal([{ type: 'StartUpload', at: 3, deadlineAt: 24 * HOUR }], after('CompleteSeal')),
    'already-uploaded',
  );
});

test('each upload restarts the deadline', (t) => {
  const lost = run(
    [{ type: 'LosePayload', at: 20, failure: failure('UPLOAD_OBJECT_DOING') }],
    after('StartSeal'),
  );
  t.is(run([{ type: 'StartUpload', at: 21, deadlineAt: 48 * HOUR }], lost).deadlineAt, 48 * HOUR);
});

test('after a lost payload the job returns to the upload and keeps what was signed', (t) => {
  const lost = run(
    [{ type: 'LosePayload', at: 20, failure: failure('UPLOAD_OBJECT_DOING') }],
    after('StartSeal'),
  );
  t.is(lost.state, 'UPLOAD_OBJECT_ERROR');
  t.is(lost.payload, undefined);
  t.is(lost.seal, undefined);
  t.is(lost.signedSeals.length, 1);
  t.is(run([{ type: 'StartUpload', at: 21, deadlineAt: 24 * HOUR }], lost).uploadAttempt, 2);
});

test('every state but the last two has a transition, and every transition leads to a known state', (t) => {
  for (const state of JOB_STATE_NAMES) {
    t.is(nextStates(state).length === 0, isTerminal(state), state);
    for (const next of nextStates(state)) t.true(JOB_STATE_NAMES.includes(next));
  }
  const reached = new Set<JobStateName>(['INIT_UNSPECIFIED']);
  for (const state of reached) for (const next of nextStates(state)) reached.add(next);
  t.is(reached.size, JOB_STATE_NAMES.length);
});
