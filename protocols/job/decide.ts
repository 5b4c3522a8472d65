import { Terminal } from '../errors.ts';
import { checkIntegrity, PRIMARY } from '../integrity/checksums.ts';
import { planPayload } from '../payload/plan.ts';
import { isAnotherLife } from './announcement.ts';
import { checksumsOf, isDelegated } from './checksums.ts';
import type { JobCommand } from './commands.ts';
import type { JobContext, Receipt, RejectFailure } from './context.ts';
import type { JobEvent, JobEventType } from './events.ts';
import { formatJobId } from './identity.ts';
import { isFromUploadDone, isTerminal, type JobStateName } from './states.ts';
import { nextStates, STATE_AFTER } from './transitions.ts';

/**
 * What a command makes happen. Pure: no I/O, no clock, no randomness; the caller persists the events, evolves,
 * and only then acts on the new state (ARCHITECTURE.md#the-job-machine). No events: the command asks for what is already so.
 * @throws Terminal `job-transition` when the state does not allow it, or the code of the rule that it breaks
 */
export function decide(context: JobContext | undefined, command: JobCommand): readonly JobEvent[] {
  if (command.type === 'Create') {
    if (context) throw refuse(context, command, 'the job already exists');
    const { at, id, object, deadlineAt } = command;
    return [{ type: 'JobCreated', at, id, object, deadlineAt }];
  }
  if (!context) throw refuse(undefined, command, 'the job does not exist');
  const event = eventOf(context, command);
  if (!event) return [];
  requireTransition(context, command, event.type);
  return [event];
}

type CommandOf<T extends JobCommand['type']> = Extract<JobCommand, { readonly type: T }>;

function eventOf(
  context: JobContext,
  command: Exclude<JobCommand, { type: 'Create' }>,
): JobEvent | undefined {
  const { at } = command;
  switch (command.type) {
    case 'StartUpload':
      return startUpload(context, command);
    case 'StorePart':
      return storePart(context, command);
    case 'CompleteUpload': {
      checkPayload(context, command);
      const { type: _type, ...facts } = command;
      return { type: 'UploadCompleted', ...facts };
    }
    case 'StartAllocation': {
      requireResume(context, command);
      const exclude = command.excludeGvgId;
      return { type: 'AllocationStarted', at, ...(exclude === undefined ? {} : { excludeGvgId: exclude }) };
    }
    case 'CompleteAllocation': {
      checkAllocation(context, command);
      const { gvgId, secondarySpIds, approvals } = command;
      return { type: 'AllocationCompleted', at, gvgId, secondarySpIds, approvals };
    }
    case 'StartReplication':
      requireResume(context, command);
      return { type: 'ReplicationStarted', at };
    case 'CompleteSecondary':
      return completeSecondary(context, command.receipt, at);
    case 'CompleteReplication':
      checkReceipts(context);
      return { type: 'ReplicationCompleted', at };
    case 'StartSigning':
      requireResume(context, command);
      return { type: 'SigningStarted', at };
    case 'CompleteSigning':
      return { type: 'SigningCompleted', at, transaction: command.transaction };
    case 'StartSeal':
      requireResume(context, command);
      return { type: 'SealStarted', at };
    case 'CompleteSeal': {
      const { at: _at, type: _type, ...facts } = command;
      return { type: 'SealCompleted', at, ...facts };
    }
    case 'DiscardSegment':
      return { type: 'SegmentDiscarded', at, segmentIndex: command.segmentIndex };
    case 'SignReject':
      checkDeadline(context, at);
      return { type: 'RejectSigned', at, transaction: command.transaction };
    case 'FailReject':
      return failReject(context, command);
    case 'Discontinue':
      return { type: 'Discontinued', at, reason: command.reason };
    case 'LosePayload':
    case 'FailUpload':
    case 'FailAllocation':
    case 'FailReplication':
    case 'FailSigning':
    case 'FailSeal':
      return fail(context, command);
  }
}

/** Tried for as long as it takes, a reject that fails again for the same reason adds nothing to the history. */
function failReject(
  context: JobContext,
  { at, rejectFailure }: CommandOf<'FailReject'>,
): JobEvent | undefined {
  const reason = ({ code, message }: RejectFailure) => `${code} ${message.replace(/\d+/g, '')}`;
  const before = context.rejectFailure;
  if (before && reason(before) === reason(rejectFailure)) return undefined;
  return { type: 'RejectFailed', at, rejectFailure };
}

const FAILED = {
  LosePayload: 'PayloadLost',
  FailUpload: 'UploadFailed',
  FailAllocation: 'AllocationFailed',
  FailReplication: 'ReplicationFailed',
  FailSigning: 'SigningFailed',
  FailSeal: 'SealFailed',
} as const;

function fail(context: JobContext, command: CommandOf<keyof typeof FAILED>): JobEvent {
  const type = FAILED[command.type];
  const { failure } = command;
  const after = STATE_AFTER[type];
  if (!after || !nextStates(after).includes(failure.resume)) {
    throw refuse(context, command, `a retry cannot start in ${failure.resume}`);
  }
  const before = type === 'SealFailed' ? context.failedSeals : context.failedTries;
  return { type, at: command.at, failure: { ...failure, attempt: before + 1 } };
}

function startUpload(context: JobContext, command: CommandOf<'StartUpload'>): JobEvent {
  const { type: _type, ...facts } = command;
  const started: JobEvent = { type: 'UploadStarted', attempt: context.uploadAttempt + 1, ...facts };
  if (beginsAnotherLife(context, command)) {
    requireLater(context, command);
    return started;
  }
  if (context.state === 'UPLOAD_OBJECT_DOING') {
    throw new Terminal({
      code: 'upload-in-progress',
      message: `Object ${formatJobId(context.id)} is already being uploaded.`,
      advice: 'Wait for that upload to end, or query its progress.',
      gatewayCode: 110003,
    });
  }
  if (context.state === 'OBJECT_DISCONTINUED') {
    throw new Terminal({
      code: 'object-discontinued',
      message: `Object ${formatJobId(context.id)} no longer accepts a payload: ${context.discontinuedBecause}`,
      advice: 'Create the object on chain again, or announce its update again.',
      gatewayCode: 110002,
    });
  }
  if (isFromUploadDone(context.state)) {
    throw new Terminal({
      code: 'already-uploaded',
      message: `Object ${formatJobId(context.id)} has already been uploaded.`,
      advice: 'Query its progress; the provider finishes the upload by itself.',
      gatewayCode: 110006,
    });
  }
  if (context.reject && isDelegated(context)) {
    throw new Terminal({
      code: 'being-rejected',
      message: `The payload of object ${formatJobId(context.id)} did not arrive in time; the object is being rejected on chain.`,
      advice: 'Create it again once the chain has removed it, then upload it.',
      gatewayCode: 110002,
    });
  }
  return started;
}

function beginsAnotherLife(context: JobContext, command: JobCommand): boolean {
  return (
    command.type === 'StartUpload' && command.object !== undefined && isAnotherLife(context, command.object)
  );
}

/**
 * A request may have been admitted before its content was cancelled and announced again: it must not void what came
 * after it. Announcements in the same second of the chain have no order; then what is sealed stays.
 */
function requireLater({ id, object, state }: JobContext, command: CommandOf<'StartUpload'>): void {
  const announcedAt = command.object?.createdAt ?? 0;
  if (announcedAt > object.createdAt) return;
  if (announcedAt === object.createdAt && state !== 'SEAL_OBJECT_DONE') return;
  throw new Terminal({
    code: 'announcement-outdated',
    message: `The content of object ${formatJobId(id)} has been announced again since; this payload belongs to an earlier announcement.`,
    advice: 'Upload the content that is announced on chain now.',
    gatewayCode: 110002,
  });
}

/** Keyed by their index, segments may come again and in any order. */
function storePart(context: JobContext, command: CommandOf<'StorePart'>): JobEvent | undefined {
  const { storedSegments } = context;
  if (!storedSegments) throw refuse(context, command, 'its payload is not being uploaded in parts');
  const { firstSegment, checksums } = command;
  const { segmentCount } = planPayload(context.object);
  if (firstSegment < 0 || firstSegment + checksums.length > segmentCount) {
    throw rule(context, 'segments-foreign', `its payload has ${segmentCount} segments`);
  }
  if (checksums.every((checksum, i) => storedSegments[firstSegment + i] === checksum)) return undefined;
  const { type: _type, ...facts } = command;
  return { type: 'PartStored', ...facts };
}

function checkPayload(
  context: JobContext,
  { segmentChecksums, integrityHash, checksums }: CommandOf<'CompleteUpload'>,
): void {
  const { object } = context;
  const count = planPayload(object).segmentCount;
  if (segmentChecksums.length !== count) {
    throw rule(context, 'segments-missing', `${segmentChecksums.length} of ${count} segments are stored`);
  }
  if (checkIntegrity(PRIMARY, segmentChecksums, object.checksums) !== integrityHash) {
    throw rule(context, 'integrity-hash-wrong', 'the integrity hash is not that of the segments');
  }
  if (!isDelegated(context)) return;
  if (checksums?.length !== 1 + secondaryCount(context) || checksums[0] !== integrityHash) {
    throw rule(
      context,
      'checksums-missing',
      'neither the chain nor the upload has the checksums of all columns',
    );
  }
}

function checkAllocation(context: JobContext, command: CommandOf<'CompleteAllocation'>): void {
  const places = secondaryCount(context);
  const inOrder = command.approvals.every(
    (approval, index) =>
      approval.redundancyIndex === index && approval.spId === command.secondarySpIds[index],
  );
  if (command.secondarySpIds.length !== places || command.approvals.length !== places || !inOrder) {
    throw rule(context, 'approvals-missing', `all ${places} secondaries must approve, in the group's order`);
  }
}

function completeSecondary(context: JobContext, receipt: Receipt, at: number): JobEvent | undefined {
  const { allocation } = context;
  const index = receipt.redundancyIndex;
  if (
    !allocation ||
    receipt.gvgId !== allocation.gvgId ||
    receipt.spId !== allocation.secondarySpIds[index]
  ) {
    throw rule(
      context,
      'receipt-foreign',
      `storage provider ${receipt.spId} is not member ${index} of the group`,
    );
  }
  const expected = checksumsOf(context)[index + 1];
  if (expected !== undefined && receipt.integrityHash !== expected) {
    throw rule(
      context,
      'receipt-mismatch',
      `storage provider ${receipt.spId} stored bytes that differ from column ${index}`,
    );
  }
  if (context.receipts[index] && context.state === 'REPLICATE_OBJECT_DOING') return undefined;
  return { type: 'SecondaryCompleted', at, receipt };
}

function checkReceipts(context: JobContext): void {
  const missing = Array.from({ length: secondaryCount(context) }, (_, index) => index).filter(
    (index) => !context.receipts[index],
  );
  if (missing.length > 0) {
    throw rule(context, 'receipts-missing', `columns ${missing.join(', ')} have no receipt`);
  }
}

function checkDeadline(context: JobContext, at: number): void {
  if (at < context.deadlineAt) {
    const until = new Date(context.deadlineAt).toISOString();
    throw rule(context, 'deadline-ahead', `it is not rejected before its deadline, ${until}`);
  }
}

/** How many secondaries hold a column of this job's object. */
export function secondaryCount(context: Pick<JobContext, 'object'>): number {
  return context.object.dataChunks + context.object.parityChunks;
}

const STARTS = {
  StartAllocation: 'ALLOC_SECONDARY_DOING',
  StartReplication: 'REPLICATE_OBJECT_DOING',
  StartSigning: 'SIGN_OBJECT_DOING',
  StartSeal: 'SEAL_OBJECT_DOING',
} as const;

/** After a failure the next try begins where the failure said, and nowhere else. */
function requireResume(context: JobContext, command: { readonly type: keyof typeof STARTS }): void {
  const { failure } = context;
  if (!failure) return;
  if (failure.resume !== STARTS[command.type]) {
    throw refuse(context, command, `the next try starts in ${failure.resume}`);
  }
}

/** Events that belong to one state and do not leave it. */
const WITHIN: Readonly<Partial<Record<JobEventType, JobStateName>>> = {
  PartStored: 'UPLOAD_OBJECT_DOING',
  SegmentDiscarded: 'UPLOAD_OBJECT_DOING',
  SecondaryCompleted: 'REPLICATE_OBJECT_DOING',
};

function requireTransition(context: JobContext, command: JobCommand, type: JobEventType): void {
  // Whatever became of the life before, the next one begins with an upload.
  if (beginsAnotherLife(context, command)) return;
  const after = STATE_AFTER[type];
  const allowed = after
    ? nextStates(context.state).includes(after)
    : !isTerminal(context.state) && (WITHIN[type] ?? context.state) === context.state;
  if (!allowed) throw refuse(context, command, `its state is ${context.state}`);
}

function refuse(context: JobContext | undefined, command: { readonly type: string }, why: string): Terminal {
  const name = context ? `job ${formatJobId(context.id)}` : 'the job';
  return new Terminal({
    code: 'job-transition',
    message: `${command.type} is not allowed for ${name}: ${why}.`,
    advice: 'Read the job again before the next command.',
  });
}

function rule(context: JobContext, code: string, why: string): Terminal {
  return new Terminal({ code, message: `Job ${formatJobId(context.id)}: ${why}.` });
}
