import test from 'ava';
import fc from 'fast-check';
import { Terminal } from '../errors.ts';
import { checksum, integrityHash } from '../integrity/checksums.ts';
import type { JobCommand } from './commands.ts';
import type { JobContext } from './context.ts';
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import { completedBy, resumeOffset } from './parts.ts';
import { JOB_STATE_NAMES } from './states.ts';

const SEGMENT = 16;
/** Of a payload of five segments, the last of four bytes. */
const CHECKSUMS = Array.from({ length: 5 }, (_, index) => checksum(Uint8Array.of(index)));
const HOUR = 3_600_000;

const CREATE: JobCommand = {
  type: 'Create',
  at: 1,
  id: { objectId: '4711', version: 0 },
  object: {
    bucketName: 'bucket',
    objectName: 'object',
    owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
    contentType: 'text/plain',
    payloadSize: 4 * SEGMENT + 4,
    redundancy: 'EC',
    checksums: [integrityHash(CHECKSUMS), ...Array.from({ length: 6 }, () => checksum(Uint8Array.of(9)))],
    maxSegmentSize: SEGMENT,
    dataChunks: 4,
    parityChunks: 2,
    familyId: 1,
    primarySpId: 1,
    createdAt: 1,
    isUpdate: false,
  },
  deadlineAt: HOUR,
};
const START: JobCommand = { type: 'StartUpload', at: 2, deadlineAt: HOUR, inParts: true };

function run(commands: readonly JobCommand[], from?: JobContext): JobContext {
  let context = from;
  for (const command of commands)
    for (const event of decide(context, command)) context = evolve(context, event);
  if (!context) throw new Error('no command created the job');
  return context;
}

/** The command that stores some of the right segments. */
function part(firstSegment: number, count: number): JobCommand {
  return {
    type: 'StorePart',
    at: 3,
    firstSegment,
    checksums: CHECKSUMS.slice(firstSegment, firstSegment + count),
  };
}

function refusal(command: JobCommand, context: JobContext): string | undefined {
  try {
    decide(context, command);
    return undefined;
  } catch (error) {
    return error instanceof Terminal ? error.code : String(error);
  }
}

test('a client resumes after the stored parts without a gap', (t) => {
  const started = run([CREATE, START]);
  t.is(resumeOffset(run([CREATE])), 0);
  t.is(resumeOffset(started), 0);
  t.is(resumeOffset(run([part(1, 2)], started)), 0);
  t.is(resumeOffset(run([part(1, 2), part(0, 1)], started)), 3 * SEGMENT);
  t.is(resumeOffset(run([part(0, 1), part(4, 1)], started)), SEGMENT);
});

test('each stored part restarts the deadline', (t) => {
  const started = run([CREATE, START]);
  const later = run([{ ...part(0, 1), deadlineAt: 2 * HOUR } as JobCommand], started);
  t.is(later.deadlineAt, 2 * HOUR);
  t.is(run([part(1, 1)], later).deadlineAt, 2 * HOUR, 'as in a journal of an older release');
});

test('nothing is left to send of a complete payload', (t) => {
  const complete: JobCommand = {
    type: 'CompleteUpload',
    at: 4,
    segmentChecksums: CHECKSUMS,
    integrityHash: integrityHash(CHECKSUMS),
  };
  t.is(resumeOffset(run([CREATE, START, part(0, 3), complete])), 5 * SEGMENT);
});

test('parts in any order, repeated any number of times, have the same result', (t) => {
  const anyPart = fc
    .tuple(fc.nat(4), fc.integer({ min: 1, max: 5 }))
    .map(([first, count]) => part(first, Math.min(count, 5 - first)));
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(anyPart, { maxLength: 12 }), (parts) => {
        const context = run(parts, run([CREATE, START]));
        const stored = new Set<number>();
        let changes = 0;
        for (const one of parts) {
          if (one.type !== 'StorePart') continue;
          const indexes = one.checksums.map((_, i) => one.firstSegment + i);
          if (indexes.some((index) => !stored.has(index))) changes += 1;
          for (const index of indexes) stored.add(index);
        }
        t.deepEqual(
          context.storedSegments,
          Object.fromEntries([...stored].map((index) => [index, CHECKSUMS[index]])),
        );
        t.is(context.revision, 2 + changes, 'a part that brings nothing new is not an event');
        t.is(context.state, 'UPLOAD_OBJECT_DOING');
        const rest = completedBy(context, { firstSegment: 0, checksums: [] });
        if (stored.size < 5) t.deepEqual(rest, { missingFrom: resumeOffset(context) });
        else t.deepEqual(rest, { segmentChecksums: CHECKSUMS });
      }),
    ),
  );
});

test('a part that closes the last gap completes the payload', (t) => {
  const context = run([CREATE, START, part(3, 2), part(0, 1)]);
  t.deepEqual(completedBy(context, { firstSegment: 1, checksums: CHECKSUMS.slice(1, 3) }), {
    segmentChecksums: CHECKSUMS,
  });
  t.deepEqual(completedBy(context, { firstSegment: 1, checksums: CHECKSUMS.slice(1, 2) }), {
    missingFrom: 2 * SEGMENT,
  });
});

test('a segment sent again with other bytes replaces the first', (t) => {
  const other = checksum(Uint8Array.of(77));
  const discarded = run([CREATE, START, part(0, 3), { type: 'DiscardSegment', at: 4, segmentIndex: 1 }]);
  t.is(resumeOffset(discarded), SEGMENT);
  const again = run([{ type: 'StorePart', at: 5, firstSegment: 1, checksums: [other] }], discarded);
  t.deepEqual(again.storedSegments, { 0: CHECKSUMS[0], 1: other, 2: CHECKSUMS[2] });
});

test('in each of the seventeen states parts are accepted only by an upload in parts that is under way', (t) => {
  const parts = run([CREATE, START]);
  const whole = run([CREATE, { type: 'StartUpload', at: 2, deadlineAt: HOUR }]);
  t.is(JOB_STATE_NAMES.length, 17);
  for (const state of JOB_STATE_NAMES) {
    const expected = state === 'UPLOAD_OBJECT_DOING' ? undefined : 'job-transition';
    t.is(refusal(part(0, 1), { ...parts, state }), expected, state);
    t.is(refusal(part(0, 1), { ...whole, state }), 'job-transition', state);
  }
});

test('segments beyond the payload are refused', (t) => {
  const context = run([CREATE, START]);
  const store = (firstSegment: number, count: number): JobCommand => ({
    type: 'StorePart',
    at: 3,
    firstSegment,
    checksums: Array.from({ length: count }, () => CHECKSUMS[0] ?? ''),
  });
  t.is(refusal(store(4, 2), context), 'segments-foreign');
  t.is(refusal(store(-1, 1), context), 'segments-foreign');
});

test('the end of an attempt ends its parts, and a new attempt starts without any', (t) => {
  const failure = { code: 'test', message: 'a test', resume: 'UPLOAD_OBJECT_DOING' as const };
  const waiting = run([CREATE, START, part(0, 2)]);
  const failed = run([{ type: 'FailUpload', at: 4, failure }], waiting);
  t.is(failed.storedSegments, undefined);
  t.is(run([{ type: 'Discontinue', at: 4, reason: 'gone' }], waiting).storedSegments, undefined);
  t.deepEqual(run([START], failed).storedSegments, {});
  t.is(run([{ type: 'StartUpload', at: 5, deadlineAt: HOUR }], failed).storedSegments, undefined);
});

test('the time to the seal of an upload in parts counts from its last part', (t) => {
  const complete: JobCommand = {
    type: 'CompleteUpload',
    at: 4,
    segmentChecksums: CHECKSUMS,
    integrityHash: integrityHash(CHECKSUMS),
  };
  t.is(run([complete], run([CREATE, START])).deadlineAt, HOUR);
  t.is(run([{ ...complete, deadlineAt: 30 * HOUR }], run([CREATE, START])).deadlineAt, 30 * HOUR);
});
