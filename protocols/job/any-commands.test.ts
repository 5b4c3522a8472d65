import test from 'ava';
import fc from 'fast-check';
import { SealionError } from '../errors.ts';
import type { JobCommand } from './commands.ts';
import { decide } from './decide.ts';
import type { JobEvent } from './events.ts';
import { evolve, replay } from './evolve.ts';
import { isTerminal, JOB_STATE_NAMES } from './states.ts';
import {
  allocation,
  announcedAgain,
  CREATE,
  FORWARD,
  failure,
  HASHES,
  HOUR,
  knows,
  refusal,
  run,
  SEGMENTS,
  TRANSACTION,
} from './testing/commands.ts';
import { nextStates } from './transitions.ts';

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
    { type: 'GiveUp', at: 30, by: 'mia' },
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
