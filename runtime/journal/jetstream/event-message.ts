import type { JobEvent } from '#protocols/job/events';
import type { StoredEvent } from '../journal.ts';
import { parseEventSubject } from './subjects.ts';

/** Content of an event's message. Job and number are in its subject. */
interface EventMessage {
  readonly writer: string;
  /** Absent in the mark of a purge. */
  readonly event?: JobEvent;
}

export function encodeEvent({ writer, event }: Pick<StoredEvent, 'writer' | 'event'>): string {
  return JSON.stringify({ writer, event } satisfies EventMessage);
}

/** A mark with the number after a job's last event. While the job is purged, it prevents a further event. */
export function encodePurgeMark(writer: string): string {
  return JSON.stringify({ writer } satisfies EventMessage);
}

/** @returns undefined for the mark of a purge */
export function decodeEvent(subject: string, body: string): StoredEvent | undefined {
  const { writer, event } = JSON.parse(body) as EventMessage;
  return event && { ...parseEventSubject(subject), writer, event };
}
