import type { JobEvent } from '#protocols/job/events';
import type { StoredEvent } from '../journal.ts';
import { parseEventSubject } from './subjects.ts';

/** What an event's message holds; job and number are in its subject. */
interface EventMessage {
  readonly writer: string;
  /** Absent in the mark of a purge. */
  readonly event?: JobEvent;
}

export function encodeEvent({ writer, event }: Pick<StoredEvent, 'writer' | 'event'>): string {
  return JSON.stringify({ writer, event } satisfies EventMessage);
}

/** Stands under the number after a job's last one while it is purged, so that nobody writes an event there. */
export function encodePurgeMark(writer: string): string {
  return JSON.stringify({ writer } satisfies EventMessage);
}

/** @returns undefined for the mark of a purge */
export function decodeEvent(subject: string, body: string): StoredEvent | undefined {
  const { writer, event } = JSON.parse(body) as EventMessage;
  return event && { ...parseEventSubject(subject), writer, event };
}
