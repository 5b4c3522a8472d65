/**
 * The states of a JobContext with Greenfield's numbers (protocols/job/README.md#states: `JobState` early, `TaskState` today;
 * the numbers are identical).
 */
export const JobState = {
  INIT_UNSPECIFIED: 0,
  UPLOAD_OBJECT_DOING: 1,
  UPLOAD_OBJECT_DONE: 2,
  UPLOAD_OBJECT_ERROR: 3,
  ALLOC_SECONDARY_DOING: 4,
  ALLOC_SECONDARY_DONE: 5,
  ALLOC_SECONDARY_ERROR: 6,
  REPLICATE_OBJECT_DOING: 7,
  REPLICATE_OBJECT_DONE: 8,
  REPLICATE_OBJECT_ERROR: 9,
  SIGN_OBJECT_DOING: 10,
  SIGN_OBJECT_DONE: 11,
  SIGN_OBJECT_ERROR: 12,
  SEAL_OBJECT_DOING: 13,
  SEAL_OBJECT_DONE: 14,
  SEAL_OBJECT_ERROR: 15,
  OBJECT_DISCONTINUED: 16,
} as const;

/** Name of a state, for example `UPLOAD_OBJECT_DOING`. */
export type JobStateName = keyof typeof JobState;

export const JOB_STATE_NAMES = Object.keys(JobState) as readonly JobStateName[];

/** No event leads out of these but the upload of other content, which begins another life of the job. */
export function isTerminal(state: JobStateName): boolean {
  return state === 'SEAL_OBJECT_DONE' || state === 'OBJECT_DISCONTINUED';
}

/** The payload is acknowledged, or was: the provider owes the object a seal or a reject. */
export function isFromUploadDone(state: JobStateName): boolean {
  return JobState[state] >= JobState.UPLOAD_OBJECT_DONE && state !== 'UPLOAD_OBJECT_ERROR';
}
