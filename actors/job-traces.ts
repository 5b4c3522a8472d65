import { formatJobId } from '#protocols/job/identity';
import type { Traces } from '#runtime/telemetry/traces';
import type { JobWatcher } from './job-log.ts';

/**
 * A span for each state of a job, from the event that led to it to the one that led out of it; whoever writes the second
 * one reports it. All are children of the request with which the upload began, on whatever node it came.
 */
export function jobTraces(traces: Traces): JobWatcher {
  return ({ before, event, after }) => {
    if (!before || before.trace === undefined || before.state === after.state) return;
    const { state, changedAt } = before;
    const attributes = { 'sealion.job': formatJobId(after.id), 'sealion.next_state': after.state };
    const span = traces.child(state, before.trace, { at: changedAt, attributes });
    const hash = state === 'SEAL_OBJECT_DOING' ? after.seal?.hash : undefined;
    if (hash !== undefined) span.set({ 'sealion.transaction': hash });
    span.end({ error: after.failure?.code, at: Math.max(event.at, changedAt) });
  };
}
