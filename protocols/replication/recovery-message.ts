import { z } from 'zod';
import { Terminal } from '../errors.ts';
import { recoverAddress } from '../greenfield/signature.ts';
import type { Redundancy } from '../greenfield/types.ts';
import type { JobId } from '../job/identity.ts';
import { type RecoveryTask, recoveryTaskDigest } from './recovery-task.ts';
import {
  count,
  isTaskExpired,
  MAX_TASK_AGE_S,
  parseTaskHeader,
  TASK_REDUNDANCIES,
  taskForm,
} from './task-form.ts';

/**
 * How today's SPs fetch a piece from each other to repair what they store: a GET of this path below the holder's
 * endpoint, with the signed task in a header. The answer's body is the piece and nothing else.
 */
export const RECOVER_PIECE_PATH = '/greenfield/recovery/v1/get-piece';
/** Carries the task: hex of its JSON. */
export const RECOVERY_MESSAGE_HEADER = 'X-Gnfd-Recovery-Msg';

/** A recovery task as it travels: the signed fields and the signature. */
export interface RecoveryMessage extends RecoveryTask {
  /** By the asker's operator key, 65 bytes, base64. */
  readonly signature: string;
}

/** What is read of a recovery task whose signature holds. It has not been compared with the chain yet. */
export interface ReadRecoveryTask {
  readonly job: JobId;
  readonly bucketName: string;
  readonly objectName: string;
  readonly redundancy: Redundancy;
  readonly segmentIndex: number;
  /** The column that is being repaired; `PRIMARY` (−1) when the primary repairs a segment. */
  readonly redundancyIndex: number;
  /** The account that signed, EIP-55. */
  readonly signer: string;
}

/** The value of the header for a task. */
export function formatRecoveryMessage(message: RecoveryMessage): string {
  return Buffer.from(JSON.stringify(message)).toString('hex');
}

/**
 * Reads the value of the header, and finds out who signed it.
 * @param now unix ms; tasks of the future are valid, as with today's SPs
 * @throws Terminal `bad-recovery-task` (50005), `bad-signature` (50015), `recovery-task-expired` (50038)
 */
export function readRecoveryMessage(header: string, now: number): ReadRecoveryTask {
  const message = parse(header);
  const signer = recoverAddress(recoveryTaskDigest(message), Buffer.from(message.signature, 'base64'));
  if (isTaskExpired(message.task, now)) {
    throw new Terminal({
      code: 'recovery-task-expired',
      message: `The task is older than ${MAX_TASK_AGE_S} seconds.`,
      advice: 'Sign it again, and compare the clocks.',
      gatewayCode: 50038,
    });
  }
  const { object_info: object } = message;
  return {
    job: { objectId: object.id, version: object.version ?? 0 },
    bucketName: object.bucket_name,
    objectName: object.object_name,
    redundancy: TASK_REDUNDANCIES[object.redundancy_type ?? 0],
    segmentIndex: message.segment_idx ?? 0,
    redundancyIndex: message.ec_idx ?? 0,
    signer,
  };
}

const recoveryMessage = z.object({
  ...taskForm,
  segment_idx: count,
  ec_idx: z.int().exactOptional(),
  piece_size: count,
  signature: z.base64(),
});

function parse(header: string): z.infer<typeof recoveryMessage> {
  try {
    return recoveryMessage.parse(parseTaskHeader(header));
  } catch (cause) {
    throw new Terminal({
      code: 'bad-recovery-task',
      message: `The header ${RECOVERY_MESSAGE_HEADER} does not contain a recovery task.`,
      advice: 'Send the JSON of a GfSpRecoverPieceTask, hex-encoded.',
      gatewayCode: 50005,
      cause,
    });
  }
}
