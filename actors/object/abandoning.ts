import { type SealionError, Terminal } from '../../protocols/errors.ts';
import { isFromUploadDone } from '../../protocols/job/states.ts';
import { discardOwnSegments } from './cleaning.ts';
import { failUpload } from './uploading.ts';
import type { Work } from './work.ts';

/** True when the time for the payload has passed, and nobody is sending it. */
export function isAbandoned({ log, taking }: Work): boolean {
  const { state, deadlineAt } = log.context;
  return !isFromUploadDone(state) && !taking && Date.now() >= deadlineAt;
}

/**
 * Removes what an abandoned upload has left; it may begin anew as long as the chain waits for the payload. Once a seal
 * was signed (the payload had been whole) the segments stay: the chain may still take it.
 */
export async function discardUpload(work: Work): Promise<void> {
  const { state, signedSeals } = work.log.context;
  if (signedSeals.length > 0) return;
  if (state === 'UPLOAD_OBJECT_DOING') await failUpload(work, abandoned());
  else await discardOwnSegments(work);
}

function abandoned(): SealionError {
  return new Terminal({
    code: 'upload-abandoned',
    message: 'The payload was not complete by the deadline of its upload; what had come of it is removed.',
    advice: 'Upload the object again.',
  });
}
