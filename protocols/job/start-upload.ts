import { Terminal } from '../errors.ts';
import { isAnotherLife } from './announcement.ts';
import { isDelegated } from './checksums.ts';
import type { CommandOf, JobCommand } from './commands.ts';
import type { JobContext } from './context.ts';
import type { JobEvent } from './events.ts';
import { formatJobId } from './identity.ts';
import { isFromUploadDone } from './states.ts';

/**
 * An upload begins: the first of a job, one after a failure, or that of another life.
 * @throws Terminal `upload-in-progress`, `object-discontinued`, `already-uploaded`, `being-rejected`,
 * `announcement-outdated`
 */
export function startUpload(context: JobContext, command: CommandOf<'StartUpload'>): JobEvent {
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

/** True for an upload of content that was announced after the job's own was cancelled. */
export function beginsAnotherLife(context: JobContext, command: JobCommand): boolean {
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
