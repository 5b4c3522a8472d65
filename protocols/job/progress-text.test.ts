import test from 'ava';
import { PROGRESS_TEXT, progressText } from './progress-text.ts';
import { JOB_STATE_NAMES } from './states.ts';

test('every state has a text, and only error states report a problem', (t) => {
  for (const state of JOB_STATE_NAMES) {
    t.is(PROGRESS_TEXT[state].startsWith('something is wrong in '), state.endsWith('_ERROR'), state);
  }
});

test('an upload shows its progress to the client', (t) => {
  const seen = new Set(
    JOB_STATE_NAMES.filter((state) => !state.endsWith('_ERROR')).map((state) => PROGRESS_TEXT[state]),
  );
  t.deepEqual(
    [...seen],
    [
      'object meta is created onto the chain',
      'object payload is uploading to the primary SP',
      'object payload is replicating to the secondary SPs in the background',
      'object meta is sealing onto the chain in the background',
      'object is succeed to upload and seal onto the chain',
      'object has been discontinued',
    ],
  );
});

test('a failure that is retried has the text of the retried step, any other its own', (t) => {
  const failure = { code: 'x', message: 'x', attempt: 1 };
  for (const [state, resume] of [
    ['ALLOC_SECONDARY_ERROR', 'ALLOC_SECONDARY_DOING'],
    ['REPLICATE_OBJECT_ERROR', 'ALLOC_SECONDARY_DOING'],
    ['REPLICATE_OBJECT_ERROR', 'REPLICATE_OBJECT_DOING'],
    ['SIGN_OBJECT_ERROR', 'SIGN_OBJECT_DOING'],
    ['SEAL_OBJECT_ERROR', 'SEAL_OBJECT_DOING'],
  ] as const) {
    t.is(progressText({ state, failure: { ...failure, resume, nextTryAt: 1 } }), PROGRESS_TEXT[resume]);
    t.is(progressText({ state, failure: { ...failure, resume } }), PROGRESS_TEXT[state]);
  }
  t.is(progressText({ state: 'SEAL_OBJECT_DOING' }), PROGRESS_TEXT.SEAL_OBJECT_DOING);
});
