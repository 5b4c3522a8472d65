import { Terminal } from '../errors.ts';
import { isAnotherLife } from './announcement.ts';
import type { Failure, JobContext, JobObject, Receipt } from './context.ts';
import type { JobEvent } from './events.ts';
import { STATE_AFTER } from './transitions.ts';

/**
 * Applies one event. Pure: the same events give the same context, always.
 * @throws Terminal `job-history-broken` when the first event is not the job's creation, or a later one is
 */
export function evolve(context: JobContext | undefined, event: JobEvent): JobContext {
  if (event.type === 'JobCreated') {
    if (context) throw broken(event, 'the job already exists');
    return {
      id: event.id,
      state: 'INIT_UNSPECIFIED',
      revision: 1,
      object: event.object,
      createdAt: event.at,
      changedAt: event.at,
      deadlineAt: event.deadlineAt,
      uploadAttempt: 0,
      excludedGvgIds: [],
      receipts: {},
      signedSeals: [],
      failedTries: 0,
      failedSeals: 0,
    };
  }
  if (!context) throw broken(event, 'the job has not been created');
  const { failure: _ended, rejectFailure: _past, storedSegments: _done, ...rest } = context;
  const state = STATE_AFTER[event.type];
  const next: JobContext = state
    ? { ...rest, state, revision: context.revision + 1, changedAt: event.at }
    : { ...context, revision: context.revision + 1 };
  return apply(next, event);
}

/** The context after all of a job's events, in order. @throws as `evolve` */
export function replay(events: Iterable<JobEvent>): JobContext | undefined {
  let context: JobContext | undefined;
  for (const event of events) context = evolve(context, event);
  return context;
}

function apply(context: JobContext, event: Exclude<JobEvent, { type: 'JobCreated' }>): JobContext {
  switch (event.type) {
    case 'UploadStarted': {
      const { attempt: uploadAttempt, deadlineAt, object = context.object, inParts, trace } = event;
      const life = isAnotherLife(context, object) ? anotherLife(context, object) : context;
      // What was signed against an upload that did not come says nothing of the one that comes now.
      const { reject: _void, trace: _other, ...rest } = life;
      return {
        ...rest,
        ...{ uploadAttempt, deadlineAt, object },
        ...(inParts && { storedSegments: {} }),
        ...(trace !== undefined && { trace }),
      };
    }
    case 'PartStored': {
      const { checksums, firstSegment, deadlineAt = context.deadlineAt } = event;
      const stored = Object.fromEntries(checksums.map((checksum, i) => [firstSegment + i, checksum]));
      return { ...context, deadlineAt, storedSegments: { ...context.storedSegments, ...stored } };
    }
    case 'SegmentDiscarded': {
      if (!context.storedSegments) return context;
      const { [event.segmentIndex]: _gone, ...storedSegments } = context.storedSegments;
      return { ...context, storedSegments };
    }
    case 'UploadCompleted': {
      const { type: _type, at: _at, deadlineAt = context.deadlineAt, ...payload } = event;
      return succeeded({ ...context, deadlineAt, uploadedAt: event.at, payload, failedSeals: 0 });
    }
    case 'PayloadLost': {
      const { payload: _lost, uploadedAt: _then, allocation: _void, seal: _kept, ...rest } = context;
      return failed({ ...rest, receipts: {} }, event.failure);
    }
    case 'AllocationStarted': {
      const excluded = event.excludeGvgId;
      if (excluded === undefined || context.excludedGvgIds.includes(excluded)) return context;
      return { ...context, excludedGvgIds: [...context.excludedGvgIds, excluded] };
    }
    case 'AllocationCompleted': {
      const { gvgId, secondarySpIds, approvals } = event;
      return {
        ...context,
        allocation: { gvgId, secondarySpIds, approvals, failedTries: 0 },
        receipts: receiptsOf(context, gvgId, secondarySpIds),
      };
    }
    case 'SecondaryCompleted':
      return {
        ...context,
        receipts: { ...context.receipts, [event.receipt.redundancyIndex]: event.receipt },
      };
    case 'SigningCompleted':
      return {
        ...context,
        seal: event.transaction,
        signedSeals: [...context.signedSeals, event.transaction],
      };
    case 'ReplicationCompleted':
      return succeeded(context);
    case 'ReplicationFailed': {
      const { allocation, ...rest } = failed(context, event.failure);
      if (!allocation) return rest;
      return { ...rest, allocation: { ...allocation, failedTries: allocation.failedTries + 1 } };
    }
    case 'UploadFailed':
    case 'AllocationFailed':
    case 'SigningFailed':
      return failed(context, event.failure);
    case 'SealFailed': {
      const { failure } = event;
      const counted = { ...context, failure, failedSeals: failure.attempt };
      // The chain refused what was made of the receipts: the same ones must not come before it again.
      return failure.resume === 'ALLOC_SECONDARY_DOING' ? { ...counted, receipts: {} } : counted;
    }
    case 'GivenUp':
      return { ...context, deadlineAt: event.at };
    case 'RejectSigned':
      return { ...context, reject: event.transaction };
    case 'RejectFailed':
      return { ...context, rejectFailure: event.rejectFailure };
    case 'Discontinued':
      return { ...context, discontinuedBecause: event.reason };
    case 'ReplicationStarted':
    case 'SigningStarted':
    case 'SealStarted':
    case 'SealCompleted':
      return context;
  }
}

/** The chain has announced other content under the same version: of the life before only its history is left. */
function anotherLife(context: JobContext, object: JobObject): JobContext {
  const { id, state, revision, createdAt, changedAt, deadlineAt, uploadAttempt } = context;
  return {
    ...{ id, state, revision, object, createdAt, changedAt, deadlineAt, uploadAttempt },
    excludedGvgIds: [],
    receipts: {},
    signedSeals: [],
    failedTries: 0,
    failedSeals: 0,
  };
}

/** Receipts name the GVG in what was signed: another GVG voids them, and so does a change of its members. */
function receiptsOf(
  context: JobContext,
  gvgId: number,
  secondarySpIds: readonly number[],
): Readonly<Record<number, Receipt>> {
  const holds = (receipt: Receipt) =>
    receipt.gvgId === gvgId && receipt.spId === secondarySpIds[receipt.redundancyIndex];
  return Object.fromEntries(Object.entries(context.receipts).filter(([, receipt]) => holds(receipt)));
}

/** Allocating and signing are steps on the way: tries end only where bytes came to rest. */
function succeeded(context: JobContext): JobContext {
  return { ...context, failedTries: 0 };
}

function failed(context: JobContext, failure: Failure): JobContext {
  return { ...context, failure, failedTries: failure.attempt };
}

function broken(event: JobEvent, why: string): Terminal {
  return new Terminal({
    code: 'job-history-broken',
    message: `The event ${event.type} cannot be applied: ${why}.`,
    advice: 'The journal is damaged or was edited; restore it from a copy.',
  });
}
