import test from 'ava';
import type { JobCommand } from './commands.ts';
import { decide } from './decide.ts';
import { after, HOUR, refusal, run, TRANSACTION } from './testing/commands.ts';

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

test('a job that is given up is overdue at once, and nothing else of it changes', (t) => {
  const before = after('StartReplication');
  const giveUp: JobCommand = { type: 'GiveUp', at: HOUR, by: 'mia' };
  const given = run([giveUp], before);
  t.deepEqual(given, { ...before, deadlineAt: HOUR, revision: before.revision + 1 });
  t.deepEqual(decide(given, giveUp), []);
  t.is(refusal([giveUp, { type: 'SignReject', at: HOUR, transaction: TRANSACTION }], before), undefined);
});

test('only a job whose payload is acknowledged and that has not ended can be given up', (t) => {
  const giveUp: JobCommand = { type: 'GiveUp', at: HOUR, by: 'mia' };
  for (const type of ['Create', 'StartUpload', 'CompleteSeal'] as const) {
    t.is(refusal([giveUp], after(type)), 'job-transition', type);
  }
});
