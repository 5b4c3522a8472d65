import type { JobContext } from './context.ts';
import type { JobStateName } from './states.ts';

const UPLOADING = 'object payload is uploading to the primary SP';
const REPLICATING = 'object payload is replicating to the secondary SPs in the background';
const SEALING = 'object meta is sealing onto the chain in the background';

/**
 * What `?upload-progress` says of a state. These texts are protocol values that clients compare
 * (protocols/job/README.md#progress-texts, today's column). An object without a job has the text of INIT_UNSPECIFIED.
 */
export const PROGRESS_TEXT: Readonly<Record<JobStateName, string>> = {
  INIT_UNSPECIFIED: 'object meta is created onto the chain',
  UPLOAD_OBJECT_DOING: UPLOADING,
  UPLOAD_OBJECT_DONE: REPLICATING,
  UPLOAD_OBJECT_ERROR: 'something is wrong in uploading to primary',
  ALLOC_SECONDARY_DOING: REPLICATING,
  ALLOC_SECONDARY_DONE: REPLICATING,
  ALLOC_SECONDARY_ERROR: 'something is wrong in allocating secondary SPs',
  REPLICATE_OBJECT_DOING: REPLICATING,
  REPLICATE_OBJECT_DONE: REPLICATING,
  REPLICATE_OBJECT_ERROR: 'something is wrong in replicating secondary SPs',
  SIGN_OBJECT_DOING: SEALING,
  SIGN_OBJECT_DONE: SEALING,
  SIGN_OBJECT_ERROR: 'something is wrong in signing the object',
  SEAL_OBJECT_DOING: SEALING,
  SEAL_OBJECT_DONE: 'object is succeed to upload and seal onto the chain',
  SEAL_OBJECT_ERROR: 'something is wrong in sealing object',
  OBJECT_DISCONTINUED: 'object has been discontinued',
};

/**
 * The text for a job as it stands. Clients take a text that begins with "something is wrong" for the end and give up,
 * so it is for a failure after which the client has to act (a payload that was lost). One that the provider tries
 * again by itself has the text of the work that goes on; why it failed stands in ErrorDescription.
 */
export function progressText({ state, failure }: Pick<JobContext, 'state' | 'failure'>): string {
  return PROGRESS_TEXT[failure?.nextTryAt === undefined ? state : failure.resume];
}
