import { isTerminal } from '#protocols/job/states';
import type { Metrics } from '#runtime/telemetry/metrics';
import type { JobWatcher } from './job-log.ts';

/** Counts and times what happens to jobs: their states, failures, retries and ends. */
export function jobMetrics(metrics: Metrics): JobWatcher {
  return ({ before, event, after }) => {
    if (after.state === before?.state && after.failure === before.failure) return;
    if (before)
      metrics.stateSeconds.of(before.state).observe(Math.max(0, event.at - before.changedAt) / 1_000);
    if (after.failure) metrics.errors.of('job', after.failure.code).inc();
    else if (before?.failure && after.state.endsWith('_DOING')) metrics.retries.of(before.state).inc();
    if (event.type === 'UploadCompleted') metrics.uploads.inc();
    if (!isTerminal(after.state)) return;
    const isSealed = after.state === 'SEAL_OBJECT_DONE';
    metrics.jobsEnded.of(isSealed ? 'sealed' : 'discontinued').inc();
    if (isSealed && after.uploadedAt !== undefined) {
      metrics.sealSeconds.observe(Math.max(0, event.at - after.uploadedAt) / 1_000);
    }
  };
}
