import type { JobContext } from '#protocols/job/context';
import type { JobStateName } from '#protocols/job/states';

/** What a job does in each state, and what follows. */
const STEPS: Readonly<Record<JobStateName, string>> = {
  INIT_UNSPECIFIED: 'The client uploads the payload.',
  UPLOAD_OBJECT_DOING: 'The rest of the payload is stored and checked.',
  UPLOAD_OBJECT_DONE: 'A node takes the job from the queue and asks other SPs for room.',
  UPLOAD_OBJECT_ERROR: 'The client uploads the payload again.',
  ALLOC_SECONDARY_DOING: 'The first group whose six members approve is chosen.',
  ALLOC_SECONDARY_DONE: 'The payload is encoded, and a column is sent to each of the six.',
  ALLOC_SECONDARY_ERROR: 'Other SPs are asked for room again.',
  REPLICATE_OBJECT_DOING: 'When all six receipts are there, the seal is signed.',
  REPLICATE_OBJECT_DONE: 'The seal is signed.',
  REPLICATE_OBJECT_ERROR: 'The columns that are missing are sent again.',
  SIGN_OBJECT_DOING: 'The signed seal is written to the journal.',
  SIGN_OBJECT_DONE: 'The seal is broadcast.',
  SIGN_OBJECT_ERROR: 'The seal is signed again.',
  SEAL_OBJECT_DOING: 'The chain includes the seal in a block.',
  SEAL_OBJECT_DONE: 'Nothing: the object is sealed.',
  SEAL_OBJECT_ERROR: 'The seal is tried again.',
  OBJECT_DISCONTINUED: 'Nothing: the object is gone from the chain.',
};

export function nextStep({ state, failure }: Pick<JobContext, 'state' | 'failure'>): string {
  if (state === 'REPLICATE_OBJECT_ERROR' && failure?.resume === 'ALLOC_SECONDARY_DOING') {
    return 'Another group is asked for room.';
  }
  return STEPS[state];
}
