import test from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { replay } from '#protocols/job/evolve';
import { newPayload } from '../../testing/primary.ts';
import { segmentsRetention } from './segments-retention.ts';

const DEADLINE = 1_000;

/** A job whose upload has failed for a reason. */
async function failed(code: string) {
  const { job, object } = await newPayload();
  const failure = { code, message: '', attempt: 1, resume: 'UPLOAD_OBJECT_DOING' } as const;
  const events: JobEvent[] = [
    { type: 'JobCreated', at: 1, id: job, object, deadlineAt: DEADLINE },
    { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: DEADLINE },
    { type: 'UploadFailed', at: 2, failure },
  ];
  return replay(events);
}

test('segments of an incomplete upload are deleted after its deadline, not before', async (t) => {
  const context = await failed('upload-interrupted');
  t.deepEqual(segmentsRetention(0, undefined, context, DEADLINE - 1), { keep: true });
  t.like(segmentsRetention(0, undefined, context, DEADLINE), { keep: false, forReaders: false });
});

test('segments of an acknowledged payload are kept as long as its job is open', async (t) => {
  t.deepEqual(segmentsRetention(0, undefined, await failed('payload-lost'), 2 * DEADLINE), { keep: true });
});
