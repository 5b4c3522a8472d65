import type { ObjectsMessage } from '#actors/messages';
import { awaitedContent, isSameAnnouncement } from '#protocols/greenfield/content';
import { announcementOf } from '#protocols/job/announcement';
import type { JobContext } from '#protocols/job/context';
import type { Ref } from '#runtime/actors/types';
import type { FoundObject } from '../access/permission.ts';
import { jobOf } from '../upload/job-object.ts';

/** Time limit for the pipeline to report the state of a job, ms. */
const TIMEOUT_MS = 10_000;

/**
 * The progress of the upload that an object waits for; undefined before its start. Progress of content with the
 * same version that has been cancelled since does not count.
 * @throws Retryable, Cancelled
 */
export async function jobProgress(
  objects: Ref<ObjectsMessage>,
  found: Pick<FoundObject, 'onChain'>,
  signal: AbortSignal,
): Promise<JobContext | undefined> {
  const job = jobOf(found);
  const context = await objects.ask<JobContext | undefined>((reply) => ({ type: 'progress', job, reply }), {
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  if (!context || !isSameAnnouncement(announcementOf(context), awaitedContent(found.onChain)))
    return undefined;
  return context;
}
