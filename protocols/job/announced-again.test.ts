import test from 'ava';
import {
  after,
  announcedAgain,
  CREATE,
  FORWARD,
  failure,
  HASHES,
  HOUR,
  knows,
  refusal,
  run,
  TRANSACTION,
} from './testing/commands.ts';

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
