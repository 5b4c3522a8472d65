import test from 'ava';
import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import type { JobStateName } from '#protocols/job/states';
import { Metrics } from '#runtime/telemetry/metrics';
import { jobMetrics } from './job-metrics.ts';

const FAILURE = {
  code: 'seal-timeout',
  message: 'Not yet.',
  attempt: 1,
  resume: 'SEAL_OBJECT_DOING',
} as const;

/** Takes a job through states, one a second, and returns what was counted. */
function through(...states: readonly (readonly [JobStateName, Partial<JobContext>?, JobEvent['type']?])[]) {
  const metrics = new Metrics();
  const watch = jobMetrics(metrics);
  let before: JobContext | undefined;
  let at = 1_000;
  for (const [state, facts = {}, type = 'SealStarted'] of states) {
    at += 1_000;
    const after = { state, changedAt: at, uploadedAt: 2_000, ...facts } as JobContext;
    watch({ before, event: { type, at } as JobEvent, after });
    before = after;
  }
  return metrics;
}

test('the time in each state is counted when it is left', (t) => {
  const metrics = through(['SEAL_OBJECT_DOING'], ['SEAL_OBJECT_DONE']);
  t.is(metrics.stateSeconds.of('SEAL_OBJECT_DOING').sum, 1);
  t.is(metrics.stateSeconds.of('SEAL_OBJECT_DONE').count, 0);
});

test('a sealed job counts once, with the time since its payload was stored', (t) => {
  const metrics = through(['SEAL_OBJECT_DOING'], ['SEAL_OBJECT_DONE']);
  t.is(metrics.totals().seals, 1);
  t.is(metrics.sealSeconds.sum, 1);
  t.is(through(['SEAL_OBJECT_ERROR'], ['OBJECT_DISCONTINUED']).jobsEnded.of('discontinued').value, 1);
});

test('a failed phase counts by its code, and its next try as a retry', (t) => {
  const metrics = through(
    ['SEAL_OBJECT_DOING'],
    ['SEAL_OBJECT_ERROR', { failure: FAILURE }],
    ['SEAL_OBJECT_DOING'],
    ['SEAL_OBJECT_ERROR', { failure: { ...FAILURE, attempt: 2 } }],
  );
  t.is(metrics.errors.of('job', 'seal-timeout').value, 2);
  t.is(metrics.retries.of('SEAL_OBJECT_ERROR').value, 1);
});

test('a completed upload counts as one', (t) => {
  t.is(through(['UPLOAD_OBJECT_DOING'], ['UPLOAD_OBJECT_DONE', {}, 'UploadCompleted']).totals().uploads, 1);
});
