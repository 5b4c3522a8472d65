import { type SealionError, Terminal } from '#protocols/errors';
import { isDelegated } from '#protocols/job/checksums';
import type { JobContext } from '#protocols/job/context';
import { isFromUploadDone } from '#protocols/job/states';
import { failUpload } from './uploading.ts';
import type { Work } from './work.ts';

/** True when the time for the payload has passed, and nobody is sending it. */
export function isAbandoned({ log, intake }: Work): boolean {
  const { state, deadlineAt } = log.context;
  return !isFromUploadDone(state) && !intake && Date.now() >= deadlineAt;
}

/**
 * True for an object that we have created for a client, who may have no means to take it back. An update is left to
 * whoever announced it: one that is called off leaves its version to the next, and this job has that version.
 */
export function isAnnouncedByUs(context: JobContext): boolean {
  return isDelegated(context) && !context.object.isUpdate;
}

/**
 * Removes what an abandoned upload has left; it may begin again as long as the chain waits for the payload. Once a seal
 * was signed (the payload had been whole) the segments stay: the chain may still take it. What an earlier removal has
 * left is found by the caretaker (`care/space-round.ts`), so that nothing is asked for again that is gone.
 */
export async function discardUpload(work: Work): Promise<void> {
  const { state, signedSeals } = work.log.context;
  if (signedSeals.length > 0) return;
  if (state === 'UPLOAD_OBJECT_DOING') await failUpload(work, abandoned());
}

function abandoned(): SealionError {
  return new Terminal({
    code: 'upload-abandoned',
    message: 'The payload was not complete by the deadline of the upload; the parts received are deleted.',
    advice: 'Upload the object again.',
  });
}
