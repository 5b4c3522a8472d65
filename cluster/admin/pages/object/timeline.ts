import type { JobEvent } from '#protocols/job/events';
import type { JobStateName } from '#protocols/job/states';
import { STATE_AFTER } from '#protocols/job/transitions';

/** One state of a job, from when to when. */
export interface Stay {
  readonly state: JobStateName;
  /** Unix ms. */
  readonly from: number;
  /** Unix ms; absent for the state in which the job stands. */
  readonly to?: number;
  /** Why it came here, or what happened here, oldest first. */
  readonly notes: readonly string[];
}

/** The states that a job has been in, oldest first. */
export function timelineOf(events: readonly JobEvent[]): readonly Stay[] {
  const stays: Stay[] = [];
  for (const event of events) {
    const state = STATE_AFTER[event.type];
    const current = stays.at(-1);
    const notes = noteOf(event);
    if (state !== undefined) {
      if (current) stays[stays.length - 1] = { ...current, to: event.at };
      stays.push({ state, from: event.at, notes });
    } else if (current) {
      stays[stays.length - 1] = { ...current, notes: [...current.notes, ...notes] };
    }
  }
  return stays;
}

function noteOf(event: JobEvent): readonly string[] {
  if ('failure' in event) {
    const { code, message, attempt } = event.failure;
    return [`Try ${attempt} failed: ${message} (${code})`];
  }
  switch (event.type) {
    case 'UploadStarted':
      return event.attempt > 1 ? [`Upload attempt ${event.attempt}`] : [];
    case 'SecondaryCompleted':
      return [`SP ${event.receipt.spId} has stored column ${event.receipt.redundancyIndex}`];
    case 'AllocationCompleted':
      return [`Group ${event.gvgId}: SPs ${event.secondarySpIds.join(', ')}`];
    case 'SealCompleted':
      return event.transactionHash === undefined ? [] : [`Transaction ${event.transactionHash}`];
    case 'RejectSigned':
      return ['The deadline has passed, and a reject was signed'];
    case 'RejectFailed':
      return [`It could not be rejected yet: ${event.rejectFailure.message}`];
    case 'Discontinued':
      return [event.reason];
    default:
      return [];
  }
}
