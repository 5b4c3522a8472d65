import test from 'ava';
import fc from 'fast-check';
import { SealionError, Terminal } from '../errors.ts';
import { checksum, integrityHash } from '../integrity/checksums.ts';
import type { JobCommand } from './commands.ts';
import type { JobContext, JobObject } from './context.ts';
import { decide } from './decide.ts';
import type { JobEvent } from './events.ts';
import { evolve, replay } from './evolve.ts';
import { isTerminal, JOB_STATE_NAMES, type JobStateName } from './states.ts';
import { nextStates } from './transitions.ts';

const SEGMENTS = [checksum(Uint8Array.of(1)), checksum(Uint8Array.of(2))];
const HASHES = [integrityHash(SEGMENTS), ...Array.from({ length: 6 }, (_, i) => checksum(Uint8Array.of(i)))];
const SPS = [2, 3, 4, 5, 6, 7];
const HOUR = 3_600_000;

const OBJECT: JobObject = {
  bucketName: 'bucket',
  objectName: 'a/b c.txt',
  owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  contentType: 'text/plain',
  payloadSize: 20,
  redundancy: 'EC',
  checksums: HASHES,
  maxSegmentSize: 16,
  dataChunks: 4,
  parityChunks: 2,
  familyId: 1,
  primarySpId: 1,
  createdAt: 1_700_000_000,
  isUpdate: false,
};

const CREATE: JobCommand = {
  type: 'Create',
  at: 1,
  id: { objectId: '4711', version: 0 },
  object: OBJECT,
  deadlineAt: 24 * HOUR,
};
const TRANSACTION = { bytes: '00', hash: 'AA', sequence: 3 };

function receipt(index: number, gvgId = 5) {
  return {
    redundancyIndex: index,
    spId: SPS[index] ?? 0,
    gvgId,
    integrityHash: HASHES[index + 1] ?? '',
    approvalSignature: '',
    blsSignature: '',
  };
}

function allocation(at: number, gvgId = 5): JobCommand {
  const approvals = SPS.map((spId, redundancyIndex) => ({
    spId,
    redundancyIndex,
    expiresAt: 10,
    message: '',
  }));
  return { type: 'CompleteAllocation', at, gvgId, secondarySpIds: SPS, approvals };
}

function failure(resume: JobStateName) {
  return { code: 'test', message: 'a test', resume, nextTryAt: 9 };
}

/** The way of a job without trouble, command by command. */
const FORWARD: readonly JobCommand[] = [
  CREATE,
  { type: 'StartUpload', at: 2, deadlineAt: 24 * HOUR },
  { type: 'CompleteUpload', at: 3, segmentChecksums: SEGMENTS, integrityHash: HASHES[0] ?? '' },
  { type: 'StartAllocation', at: 4 },
  allocation(5),
  { type: 'StartReplication', at: 6 },
  ...SPS.map((_, index): JobCommand => ({ type: 'CompleteSecondary', at: 7, receipt: receipt(index) })),
  { type: 'CompleteReplication', at: 8 },
  { type: 'StartSigning', at: 9 },
  { type: 'CompleteSigning', at: 10, transaction: TRANSACTION },
  { type: 'StartSeal', at: 11 },
  { type: 'CompleteSeal', at: 12, gvgId: 5, transactionHash: 'AA' },
];

function run(commands: readonly JobCommand[], from?: JobContext): JobContext {
  let context = from;
  for (const command of commands)
    for (const event of decide(context, command)) context = evolve(context, event);
  if (!context) throw new Error('no command created the job');
  return context;
}

function after(type: JobCommand['type']): JobContext {
  return run(FORWARD.slice(0, FORWARD.findLastIndex((command) => command.type === type) + 1));
}

function refusal(commands: readonly JobCommand[], from?: JobContext): string | undefined {
  try {
    run(commands, from);
    return undefined;
  } catch (error) {
    return error instanceof SealionError ? error.code : String(error);
  }
}

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

/** The same update, announced on chain `later` seconds after the job's. */
function announcedAgain(later: number, over: Partial<JobObject> = {}): JobCommand {
  const object = { ...OBJECT, createdAt: OBJECT.createdAt + later, ...over };
  return { type: 'StartUpload', at: 40, deadlineAt: 48 * HOUR, object };
}

/** What a job knows, without what counts its history. */
function knows({ revision: _, uploadAttempt: _attempt, createdAt: _at, ...known }: JobContext) {
  return known;
}

test('a new announcement starts the job afresh in every state, and nothing of the old one counts', (t) => {
  const other = announcedAgain(5, { checksums: HASHES.toReversed(), payloadSize: 19 });
  const fresh =
    other.type === 'StartUpload' && other.object && run([{ ...CREATE, object: other.object }, other]);
  for (const { type } of FORWARD) {
    const before = after(type);
    const context = run([other], before);
    t.deepEqual(knows(context), fresh && knows(fresh), before.state);
    t.is(context.revision, before.revision + 1);
    t.is(context.uploadAttempt, before.uploadAttempt + 1);
  }
  const rejected = run(
    [
      { type: 'FailSigning', at: 10, failure: failure('SIGN_OBJECT_DOING') },
      { type: 'SignReject', at: 24 * HOUR, transaction: TRANSACTION },
      { type: 'Discontinue', at: 25 * HOUR, reason: 'The update was cancelled.' },
    ],
    after('StartSigning'),
  );
  t.deepEqual(knows(run([other], rejected)), fresh && knows(fresh));
});

test('an upload for an earlier announcement does not affect a later one or a sealed one', (t) => {
  const sealed = after('CompleteSeal');
  t.is(refusal([announcedAgain(-1)], after('CompleteUpload')), 'announcement-outdated');
  t.is(refusal([announcedAgain(-1)], sealed), 'announcement-outdated');
  t.is(refusal([announcedAgain(0, { checksums: HASHES.toReversed() })], sealed), 'announcement-outdated');
  t.is(refusal([announcedAgain(0)], sealed), 'already-uploaded');
});

test('a discontinued object is uploaded again only after another announcement', (t) => {
  const over = run(
    [{ type: 'Discontinue', at: 4, reason: 'The update was cancelled.' }],
    after('StartUpload'),
  );
  t.is(refusal([{ type: 'StartUpload', at: 5, deadlineAt: HOUR }], over), 'object-discontinued');
  t.is(run([announcedAgain(1)], over).state, 'UPLOAD_OBJECT_DOING');
});

test('a receipt counts once, and must have the right bytes, group and index', (t) => {
  const doing = after('StartReplication');
  const complete = (change: object): JobCommand => ({
    type: 'CompleteSecondary',
    at: 7,
    receipt: { ...receipt(0), ...change },
  });
  t.is(refusal([complete({ spId: 3 })], doing), 'receipt-foreign');
  t.is(refusal([complete({ gvgId: 6 })], doing), 'receipt-foreign');
  t.is(refusal([complete({ redundancyIndex: 6 })], doing), 'receipt-foreign');
  t.is(refusal([complete({ integrityHash: HASHES[0] })], doing), 'receipt-mismatch');
  t.is(run([complete({}), complete({})], doing).revision, doing.revision + 1);
  t.is(refusal([complete({}), { type: 'CompleteReplication', at: 8 }], doing), 'receipts-missing');
});

test('a change of group voids the receipts, the same group keeps them', (t) => {
  const failed = run(
    [
      { type: 'CompleteSecondary', at: 7, receipt: receipt(0) },
      { type: 'FailReplication', at: 8, failure: failure('ALLOC_SECONDARY_DOING') },
      { type: 'StartAllocation', at: 9, excludeGvgId: 5 },
    ],
    after('StartReplication'),
  );
  t.deepEqual(failed.excludedGvgIds, [5]);
  t.deepEqual(Object.keys(run([allocation(10)], failed).receipts), ['0']);
  t.deepEqual(run([allocation(10, 6)], failed).receipts, {});
});

test('the receipt of a member that left the group is dropped', (t) => {
  const failed = run(
    [
      { type: 'CompleteSecondary', at: 7, receipt: receipt(0) },
      { type: 'CompleteSecondary', at: 7, receipt: receipt(1) },
      { type: 'FailReplication', at: 8, failure: failure('ALLOC_SECONDARY_DOING') },
      { type: 'StartAllocation', at: 9 },
    ],
    after('StartReplication'),
  );
  const swapped = allocation(10);
  if (swapped.type !== 'CompleteAllocation') return t.fail();
  const secondarySpIds = [9, ...SPS.slice(1)];
  const approvals = swapped.approvals.map((approval, i) => (i === 0 ? { ...approval, spId: 9 } : approval));
  t.deepEqual(Object.keys(run([{ ...swapped, secondarySpIds, approvals }], failed).receipts), ['1']);
});

test('receipts whose seal the chain refused are not used again', (t) => {
  const again = run(
    [
      { type: 'FailSeal', at: 12, failure: failure('ALLOC_SECONDARY_DOING') },
      { type: 'StartAllocation', at: 13 },
      allocation(14),
    ],
    after('StartSeal'),
  );
  t.deepEqual(again.receipts, {});
});

test('failed replications are counted per allocation', (t) => {
  const failed = run(
    [{ type: 'FailReplication', at: 8, failure: failure('ALLOC_SECONDARY_DOING') }],
    after('StartReplication'),
  );
  t.is(failed.allocation?.failedTries, 1);
  t.is(run([{ type: 'StartAllocation', at: 9 }, allocation(10)], failed).allocation?.failedTries, 0);
});

test('a delegated upload supplies the checksums of all columns, and receipts must match them', (t) => {
  const object = { ...OBJECT, checksums: [] };
  const begun = run([
    { ...CREATE, object } as JobCommand,
    { type: 'StartUpload', at: 2, deadlineAt: 24 * HOUR },
  ]);
  const complete = { ...(FORWARD[2] as Extract<JobCommand, { type: 'CompleteUpload' }>) };
  t.is(refusal([complete], begun), 'checksums-missing');
  t.is(refusal([{ ...complete, checksums: HASHES.slice(1) }], begun), 'checksums-missing');
  const replicating = run([{ ...complete, checksums: HASHES }, ...FORWARD.slice(3, 6)], begun);
  t.is(
    refusal(
      [{ type: 'CompleteSecondary', at: 7, receipt: { ...receipt(0), integrityHash: 'ff' } }],
      replicating,
    ),
    'receipt-mismatch',
  );
  t.is(refusal([{ type: 'CompleteSecondary', at: 7, receipt: receipt(0) }], replicating), undefined);
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

test('the obstacle of a reject is recorded once per reason, and cleared by the next step', (t) => {
  const failure = (message: string): JobCommand => ({
    type: 'FailReject',
    at: 25 * HOUR,
    rejectFailure: { code: 'reject-refused', message },
  });
  const failed = run([failure('frozen, lack of 7 BNB')], after('StartAllocation'));
  t.is(failed.state, 'ALLOC_SECONDARY_DOING');
  t.is(failed.rejectFailure?.message, 'frozen, lack of 7 BNB');
  t.deepEqual(decide(failed, failure('frozen, lack of 8 BNB')), []);
  t.is(decide(failed, failure('Access denied')).length, 1);
  const ended = run([{ type: 'Discontinue', at: 26 * HOUR, reason: 'gone' }], failed);
  t.is(ended.rejectFailure, undefined);
});

test('a reject that was signed is void once an upload begins again', (t) => {
  const signed = run(
    [
      { type: 'SignReject', at: 24 * HOUR, transaction: TRANSACTION },
      {
        type: 'LosePayload',
        at: 24 * HOUR,
        failure: { code: 'payload-lost', message: 'gone', resume: 'UPLOAD_OBJECT_DOING' },
      },
    ],
    after('StartAllocation'),
  );
  t.deepEqual(signed.reject, TRANSACTION);
  const again = run([{ type: 'StartUpload', at: 25 * HOUR, deadlineAt: 49 * HOUR }], signed);
  t.is(again.reject, undefined);
});

test('a reject is signed only after the deadline', (t) => {
  t.is(
    refusal([{ type: 'SignReject', at: HOUR, transaction: TRANSACTION }], after('StartAllocation')),
    'deadline-ahead',
  );
  t.is(
    run([{ type: 'SignReject', at: 24 * HOUR, transaction: TRANSACTION }], after('StartAllocation')).reject,
    TRANSACTION,
  );
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

/** The chain has no checksums of a delegated upload. */
const COMPLETE_DELEGATED: JobCommand = {
  type: 'CompleteUpload',
  at: 3,
  segmentChecksums: SEGMENTS,
  integrityHash: HASHES[0] ?? '',
  checksums: HASHES,
};

const anyCommand: fc.Arbitrary<JobCommand> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...FORWARD) },
  fc.constantFrom<JobCommand>(
    { type: 'StartUpload', at: 2, deadlineAt: 24 * HOUR, inParts: true },
    announcedAgain(5),
    announcedAgain(10),
    announcedAgain(15, { checksums: [] }),
    COMPLETE_DELEGATED,
    { type: 'StorePart', at: 2, firstSegment: 0, checksums: SEGMENTS },
    { type: 'StorePart', at: 2, firstSegment: 1, checksums: SEGMENTS.slice(1) },
    { type: 'DiscardSegment', at: 2, segmentIndex: 0 },
    { type: 'SignReject', at: 24 * HOUR, transaction: TRANSACTION },
    { type: 'Discontinue', at: 30, reason: 'gone' },
    { type: 'StartAllocation', at: 30, excludeGvgId: 5 },
    allocation(30, 6),
    { type: 'CompleteSeal', at: 30 },
  ),
  fc.record({
    type: fc.constantFrom(
      'LosePayload' as const,
      'FailUpload' as const,
      'FailAllocation' as const,
      'FailReplication' as const,
      'FailSigning' as const,
      'FailSeal' as const,
    ),
    at: fc.constant(31),
    failure: fc.constantFrom(...JOB_STATE_NAMES).map(failure),
  }),
);

test('no sequence of commands leaves the state table, and any prefix replays to the same state', (t) => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
      const events: JobEvent[] = [];
      let context = run([CREATE]);
      events.push(...decide(undefined, CREATE));
      for (const command of commands) {
        let decided: readonly JobEvent[];
        try {
          decided = decide(context, command);
        } catch (error) {
          if (error instanceof SealionError && error.kind === 'terminal') continue;
          throw error;
        }
        for (const event of decided) {
          const next = evolve(context, event);
          const isNewLife = next.object.createdAt > context.object.createdAt;
          if (isNewLife && next.state !== 'UPLOAD_OBJECT_DOING') return false;
          const isOnward = next.state === context.state || nextStates(context.state).includes(next.state);
          if (!isNewLife && !isOnward) return false;
          context = next;
          events.push(event);
        }
      }
      const cut = Math.floor(events.length / 2);
      const head = replay(events.slice(0, cut + 1));
      const resumed = events.slice(cut + 1).reduce((state, event) => evolve(state, event), head);
      t.deepEqual(resumed, context);
      return context.revision === events.length;
    }),
    { numRuns: 500 },
  );
});

test('after a new announcement, a job behaves like a new job', (t) => {
  const again = announcedAgain(20, { checksums: HASHES });
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.array(anyCommand, { maxLength: 40 }),
        fc.array(anyCommand, { maxLength: 40 }),
        (before, then) => {
          const [old, fresh] = [before, []].map((commands) => {
            let context = run([CREATE]);
            for (const command of [...commands, again, ...then]) {
              if (refusal([command], context) === undefined) context = run([command], context);
            }
            return context;
          });
          t.deepEqual(old && knows(old), fresh && knows(fresh));
          return true;
        },
      ),
      { numRuns: 300 },
    ),
  );
});

test('a job can be completed from any reachable state', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(anyCommand, { maxLength: 40 }), (commands) => {
        let context = run([CREATE]);
        for (const command of commands) {
          if (refusal([command], context) === undefined) context = run([command], context);
        }
        for (let step = 0; step < 40 && !isTerminal(context.state); step += 1) {
          const onward = [...FORWARD, COMPLETE_DELEGATED].find(
            (command) =>
              refusal([command], context) === undefined &&
              run([command], context).revision > context.revision,
          );
          if (!onward) return false;
          context = run([onward], context);
        }
        return isTerminal(context.state);
      }),
      { numRuns: 300 },
    ),
  );
});
