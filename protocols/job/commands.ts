import type { Failure, JobObject } from './context.ts';
import type { JobEvent } from './events.ts';
import type { JobId } from './identity.ts';

/** What a failed try reports; the decider adds which try in a row it was. */
export type FailedTry = Omit<Failure, 'attempt'>;

type EventOf<T extends JobEvent['type']> = Extract<JobEvent, { readonly type: T }>;
type FactsOf<T extends JobEvent['type']> = Omit<EventOf<T>, 'type' | 'at'>;

/**
 * What somebody wants of a job, in the imperative. `at` is unix ms by the caller's clock. Facts are those of the
 * event that the command leads to when it is accepted.
 */
export type JobCommand = { readonly at: number } & (
  | { readonly type: 'Create'; readonly id: JobId; readonly object: JobObject; readonly deadlineAt: number }
  | ({ readonly type: 'StartUpload' } & Omit<FactsOf<'UploadStarted'>, 'attempt'>)
  | ({ readonly type: 'StorePart' } & FactsOf<'PartStored'>)
  | ({ readonly type: 'DiscardSegment' } & FactsOf<'SegmentDiscarded'>)
  | ({ readonly type: 'CompleteUpload' } & FactsOf<'UploadCompleted'>)
  | { readonly type: 'FailUpload'; readonly failure: FailedTry }
  | { readonly type: 'LosePayload'; readonly failure: FailedTry }
  | ({ readonly type: 'StartAllocation' } & FactsOf<'AllocationStarted'>)
  | ({ readonly type: 'CompleteAllocation' } & FactsOf<'AllocationCompleted'>)
  | { readonly type: 'FailAllocation'; readonly failure: FailedTry }
  | { readonly type: 'StartReplication' }
  | ({ readonly type: 'CompleteSecondary' } & FactsOf<'SecondaryCompleted'>)
  | { readonly type: 'CompleteReplication' }
  | { readonly type: 'FailReplication'; readonly failure: FailedTry }
  | { readonly type: 'StartSigning' }
  | ({ readonly type: 'CompleteSigning' } & FactsOf<'SigningCompleted'>)
  | { readonly type: 'FailSigning'; readonly failure: FailedTry }
  | { readonly type: 'StartSeal' }
  | ({ readonly type: 'CompleteSeal' } & FactsOf<'SealCompleted'>)
  | { readonly type: 'FailSeal'; readonly failure: FailedTry }
  | ({ readonly type: 'GiveUp' } & FactsOf<'GivenUp'>)
  | ({ readonly type: 'SignReject' } & FactsOf<'RejectSigned'>)
  | ({ readonly type: 'FailReject' } & FactsOf<'RejectFailed'>)
  | ({ readonly type: 'Discontinue' } & FactsOf<'Discontinued'>)
);

export type JobCommandType = JobCommand['type'];

/** The command of one type. */
export type CommandOf<T extends JobCommandType> = Extract<JobCommand, { readonly type: T }>;
