import type { JobEventType } from './events.ts';
import { isFromUploadDone, isTerminal, JobState, type JobStateName } from './states.ts';

/** The forward path, each phase's own error, and the ways back from errors (ARCHITECTURE.md#the-job-machine). */
const PHASES: Readonly<Record<JobStateName, readonly JobStateName[]>> = {
  INIT_UNSPECIFIED: ['UPLOAD_OBJECT_DOING'],
  UPLOAD_OBJECT_DOING: ['UPLOAD_OBJECT_DONE', 'UPLOAD_OBJECT_ERROR'],
  UPLOAD_OBJECT_DONE: ['ALLOC_SECONDARY_DOING'],
  UPLOAD_OBJECT_ERROR: ['UPLOAD_OBJECT_DOING'],
  ALLOC_SECONDARY_DOING: ['ALLOC_SECONDARY_DONE', 'ALLOC_SECONDARY_ERROR'],
  ALLOC_SECONDARY_DONE: ['REPLICATE_OBJECT_DOING'],
  ALLOC_SECONDARY_ERROR: ['ALLOC_SECONDARY_DOING'],
  REPLICATE_OBJECT_DOING: ['REPLICATE_OBJECT_DONE', 'REPLICATE_OBJECT_ERROR'],
  REPLICATE_OBJECT_DONE: ['SIGN_OBJECT_DOING'],
  REPLICATE_OBJECT_ERROR: ['REPLICATE_OBJECT_DOING', 'ALLOC_SECONDARY_DOING'],
  SIGN_OBJECT_DOING: ['SIGN_OBJECT_DONE', 'SIGN_OBJECT_ERROR'],
  SIGN_OBJECT_DONE: ['SEAL_OBJECT_DOING'],
  SIGN_OBJECT_ERROR: ['SIGN_OBJECT_DOING'],
  SEAL_OBJECT_DOING: ['SEAL_OBJECT_DONE', 'SEAL_OBJECT_ERROR'],
  SEAL_OBJECT_DONE: [],
  SEAL_OBJECT_ERROR: ['SEAL_OBJECT_DOING', 'SIGN_OBJECT_DOING', 'ALLOC_SECONDARY_DOING'],
  OBJECT_DISCONTINUED: [],
};

/**
 * States that a state may go to. Beside the phases: what the chain says always holds (sealed, gone), and an
 * acknowledged payload that is found missing before the seal sends the job back to the upload (ARCHITECTURE.md#what-an-acknowledgement-is-worth). Another
 * life of the job begins in UPLOAD_OBJECT_DOING from every state (ARCHITECTURE.md#the-job-machine).
 */
export function nextStates(state: JobStateName): readonly JobStateName[] {
  if (isTerminal(state)) return [];
  const exits: JobStateName[] = ['OBJECT_DISCONTINUED'];
  if (JobState[state] >= JobState.UPLOAD_OBJECT_DONE) exits.push('SEAL_OBJECT_DONE');
  if (isFromUploadDone(state)) exits.push('UPLOAD_OBJECT_ERROR');
  return [...new Set([...PHASES[state], ...exits])];
}

/** The state that each event leads to; the absent ones leave the state as it is. */
export const STATE_AFTER: Readonly<Partial<Record<JobEventType, JobStateName>>> = {
  JobCreated: 'INIT_UNSPECIFIED',
  UploadStarted: 'UPLOAD_OBJECT_DOING',
  UploadCompleted: 'UPLOAD_OBJECT_DONE',
  UploadFailed: 'UPLOAD_OBJECT_ERROR',
  PayloadLost: 'UPLOAD_OBJECT_ERROR',
  AllocationStarted: 'ALLOC_SECONDARY_DOING',
  AllocationCompleted: 'ALLOC_SECONDARY_DONE',
  AllocationFailed: 'ALLOC_SECONDARY_ERROR',
  ReplicationStarted: 'REPLICATE_OBJECT_DOING',
  ReplicationCompleted: 'REPLICATE_OBJECT_DONE',
  ReplicationFailed: 'REPLICATE_OBJECT_ERROR',
  SigningStarted: 'SIGN_OBJECT_DOING',
  SigningCompleted: 'SIGN_OBJECT_DONE',
  SigningFailed: 'SIGN_OBJECT_ERROR',
  SealStarted: 'SEAL_OBJECT_DOING',
  SealCompleted: 'SEAL_OBJECT_DONE',
  SealFailed: 'SEAL_OBJECT_ERROR',
  Discontinued: 'OBJECT_DISCONTINUED',
};
