import { Retryable, type SealionError, Terminal } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { completedBy } from '#protocols/job/parts';
import type { UploadPart } from '../../messages.ts';
import { record, refuseClient, type Work } from './work.ts';

/**
 * Records a stored part; the upload then waits for the next one. The part that completes the payload is recorded only
 * together with the completed payload, so that a client whose request fails in between sends it again.
 * @returns the checksums of all segments when the payload is complete
 */
export async function endPart(
  work: Work,
  { firstSegment, complete }: UploadPart,
  checksums: readonly Hex[],
): Promise<readonly Hex[] | undefined> {
  const { log, ports, job } = work;
  const completed = completedBy(log.context, { firstSegment, checksums });
  if (complete && 'segmentChecksums' in completed) return completed.segmentChecksums;
  const deadlineAt = Date.now() + ports.timing.jobDeadlineMs;
  await record(work, { type: 'StorePart', firstSegment, checksums, deadlineAt });
  if (complete && 'missingFrom' in completed) {
    refuseClient(work, incomplete(completed.missingFrom));
    return undefined;
  }
  work.intake?.client.resolve({ job, durability: ports.durability });
  delete work.intake;
  return undefined;
}

function incomplete(missingFrom: number): Terminal {
  return new Terminal({
    code: 'payload-incomplete',
    message: `The payload is still incomplete after this part: the bytes from ${missingFrom} on are missing.`,
    advice: 'The part is kept. Send the missing parts, the last of them with complete=true.',
    gatewayCode: 50027,
  });
}

/** A part that was stored earlier, perhaps by a node that has crashed since, is missing now. */
export function partsLost(why: string): SealionError {
  return new Retryable({
    code: 'parts-lost',
    message: `A part that was stored earlier is lost: ${why}.`,
    advice: 'Upload the object again, from its first byte on.',
    gatewayCode: 115001,
  });
}
