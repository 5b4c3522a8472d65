import { type Announcement, isSameAnnouncement } from '../greenfield/content.ts';
import { checksumsOf } from './checksums.ts';
import type { JobContext, JobObject } from './context.ts';

/** The announcement on chain that a job works for, with the checksums as far as the job knows them. */
export function announcementOf(context: Pick<JobContext, 'object' | 'payload'>): Announcement {
  const { payloadSize, createdAt } = context.object;
  return { announcedAt: createdAt, payloadSize, checksums: checksumsOf(context) };
}

/** True when an upload is about other content than the job's: it begins another life of the job (ARCHITECTURE.md#the-job-machine). */
export function isAnotherLife({ object }: Pick<JobContext, 'object'>, next: JobObject): boolean {
  return !isSameAnnouncement(announcementOf({ object }), announcementOf({ object: next }));
}
