import type { CommandOf, JobCommand } from './commands.ts';
import type { JobContext, Receipt, RejectFailure } from './context.ts';
import type { JobEvent, JobEventType } from './events.ts';
import {
  checkAllocation,
  checkDeadline,
  checkPayload,
  checkReceipt,
  checkReceipts,
  checkSegments,
  refuse,
  requireResume,
} from './rules.ts';
import { beginsAnotherLife, startUpload } from './start-upload.ts';
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
    case 'GiveUp':
      return giveUp(context, command);
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

/** Only what was acknowledged can be given up: until then the client decides. Then the object is rejected on chain. */
function giveUp(context: JobContext, command: CommandOf<'GiveUp'>): JobEvent | undefined {
  const { at, by } = command;
  if (!isFromUploadDone(context.state)) throw refuse(context, command, `its state is ${context.state}`);
  return at >= context.deadlineAt ? undefined : { type: 'GivenUp', at, by };
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

/** Keyed by their index, segments may come again and in any order. */
function storePart(context: JobContext, command: CommandOf<'StorePart'>): JobEvent | undefined {
  const { storedSegments } = context;
  if (!storedSegments) throw refuse(context, command, 'its payload is not being uploaded in parts');
  const { firstSegment, checksums } = command;
  checkSegments(context, command);
  if (checksums.every((checksum, i) => storedSegments[firstSegment + i] === checksum)) return undefined;
  const { type: _type, ...facts } = command;
  return { type: 'PartStored', ...facts };
}

function completeSecondary(context: JobContext, receipt: Receipt, at: number): JobEvent | undefined {
  checkReceipt(context, receipt);
  const isHere = context.receipts[receipt.redundancyIndex] !== undefined;
  if (isHere && context.state === 'REPLICATE_OBJECT_DOING') return undefined;
  return { type: 'SecondaryCompleted', at, receipt };
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
