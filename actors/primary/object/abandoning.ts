import { type SealionError, Terminal } from '#protocols/errors';
import { isDelegated } from '#protocols/job/checksums';
import type { JobContext } from '#protocols/job/context';
import { isFromUploadDone } from '#protocols/job/states';
import { failUpload } from './uploading.ts';
import type { Work } from './work.ts';

/** True when the deadline of the upload has passed and no request is in progress. */
export function isAbandoned({ log, intake }: Work): boolean {
  const { state, deadlineAt } = log.context;
  return !isFromUploadDone(state) && !intake && Date.now() >= deadlineAt;
}

/**
 * True for an object that we have created for a client, who may be unable to cancel it. An update is left to whoever
 * announced it: the version of a cancelled update is given to the next one, and this job has that version.
 */
export function isAnnouncedByUs(context: JobContext): boolean {
  return isDelegated(context) && !context.object.isUpdate;
}

/**
 * Deletes what an abandoned upload has left; the upload may begin again while the chain waits for the payload. Once a
 * seal was signed (the payload was complete) the segments are kept, since the seal may still be accepted. Remains of an
 * interrupted deletion are found by the caretaker (`caretaker/space-round.ts`), so each segment is deleted only once.
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
