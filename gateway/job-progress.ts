import type { ObjectsMessage } from '../actors/messages.ts';
import type { JobContext } from '../protocols/job/context.ts';
import type { JobId } from '../protocols/job/identity.ts';
import type { Ref } from '../runtime/actors/types.ts';

/** How long the pipeline may take to say where a job stands, ms. */
const TIMEOUT_MS = 10_000;

/** Where a job stands; undefined when none has been created. @throws Retryable, Cancelled */
export function jobProgress(
  objects: Ref<ObjectsMessage>,
  job: JobId,
  signal: AbortSignal,
): Promise<JobContext | undefined> {
  return objects.ask((reply) => ({ type: 'progress', job, reply }), { signal, timeoutMs: TIMEOUT_MS });
}
