import type { ObjectsMessage } from '#actors/messages';
import { awaitedContent, isSameAnnouncement } from '#protocols/greenfield/content';
import { announcementOf } from '#protocols/job/announcement';
import type { JobContext } from '#protocols/job/context';
import type { Ref } from '#runtime/actors/types';
import type { FoundObject } from '../access/permission.ts';
import { jobOf } from '../upload/job-object.ts';

/** How long the pipeline may take to say where a job stands, ms. */
const TIMEOUT_MS = 10_000;

/**
 * Where the upload of what an object waits for stands; undefined when none has begun. What the job knows of content
 * that was cancelled since, under the same version, does not count.
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
