import { z } from 'zod';
import { Terminal } from '../errors.ts';
import { toHex } from '../greenfield/hex.ts';
import { recoverAddress } from '../greenfield/signature.ts';
import type { Hex, Redundancy } from '../greenfield/types.ts';
import type { JobId } from '../job/identity.ts';
import type { PayloadShape } from '../payload/plan.ts';
import { type ReceiveTask, receiveTaskDigest } from './receive-task.ts';
import {
  count,
  isTaskExpired,
  MAX_TASK_AGE_S,
  parseTaskHeader,
  TASK_REDUNDANCIES,
  taskForm,
} from './task-form.ts';

/**
 * Today's HTTP wire between SPs (protocols/replication/README.md#receive-tasks-over-http). A primary PUTs each piece of a column to this path below the
 * secondary's endpoint, and at the end, with an empty body, a task that says `finished`.
 */
export const REPLICATE_PIECE_PATH = '/greenfield/receiver/v1/replicate-piece';
/** Carries the task: hex of its JSON. */
export const RECEIVE_MESSAGE_HEADER = 'X-Gnfd-Receive-Msg';
/** In the answer to a finished column: hex of its integrity hash. Today's SPs leave it empty. */
export const INTEGRITY_HASH_HEADER = 'X-Gnfd-Integrity-Hash';
/** In the answer to a finished column: hex of the 96 bytes of the BLS signature. */
export const INTEGRITY_SIGNATURE_HEADER = 'X-Gnfd-Integrity-Hash-Signature';

/** A receive task as it travels: the signed fields, the signature, and what it does not cover. */
export interface ReceiveMessage extends ReceiveTask {
  /** By the primary's operator key, 65 bytes, base64. */
  readonly signature: string;
  readonly global_virtual_group_id: number;
  readonly finished?: boolean;
  /** The object is a delegated upload, which has no checksums on chain. */
  readonly is_agent_upload_task?: boolean;
}

/** What a secondary reads of a receive task whose signature holds. It has not been compared with the chain yet. */
export interface ReceivedTask extends PayloadShape {
  readonly job: JobId;
  readonly bucketName: string;
  readonly objectName: string;
  readonly redundancy: Redundancy;
  /** The seven integrity hashes; a delegated upload has none before its last task. */
  readonly checksums: readonly Hex[];
  readonly gvgId: number;
  readonly redundancyIndex: number;
  /** Means nothing in the last task, as the next two. */
  readonly segmentIndex: number;
  /** Bytes of the body. */
  readonly pieceSize: number;
  readonly pieceChecksum: Hex;
  /** The last task of a column: all its pieces were sent. */
  readonly finished: boolean;
  /** The account that signed, EIP-55. */
  readonly signer: string;
}

/** The value of the header for a task. */
export function formatReceiveMessage(message: ReceiveMessage): string {
  return Buffer.from(JSON.stringify(message)).toString('hex');
}

/**
 * Reads the value of the header, and finds out who signed it.
 * @param now unix ms; tasks of the future pass, as with today's SPs
 * @throws Terminal `bad-receive-task` (50005), `bad-signature` (50015), `receive-task-expired` (50038),
 * `migration-not-served` (50008)
 */
export function readReceiveMessage(header: string, now: number): ReceivedTask {
  const message = parse(header);
  const signer = recoverAddress(receiveTaskDigest(message), Buffer.from(message.signature, 'base64'));
  if (isTaskExpired(message.task, now)) {
    throw new Terminal({
      code: 'receive-task-expired',
      message: `The task is older than ${MAX_TASK_AGE_S} seconds.`,
      advice: 'Sign it again, and compare the clocks.',
      gatewayCode: 50038,
    });
  }
  if (message.bucket_migration) {
    throw new Terminal({
      code: 'migration-not-served',
      message: 'Pieces of a bucket that is being migrated are not accepted.',
      gatewayCode: 50008,
    });
  }
  const { object_info: object, storage_params } = message;
  const params = storage_params.versioned_params;
  return {
    job: { objectId: object.id, version: object.version ?? 0 },
    bucketName: object.bucket_name,
    objectName: object.object_name,
    payloadSize: object.payload_size ?? 0,
    redundancy: TASK_REDUNDANCIES[object.redundancy_type ?? 0],
    checksums: (object.checksums ?? []).map(base64ToHex),
    maxSegmentSize: params.max_segment_size ?? 0,
    dataChunks: params.redundant_data_chunk_num ?? 0,
    parityChunks: params.redundant_parity_chunk_num ?? 0,
    gvgId: message.global_virtual_group_id ?? 0,
    redundancyIndex: message.redundancy_idx ?? 0,
    segmentIndex: message.segment_idx ?? 0,
    pieceSize: message.piece_size ?? 0,
    pieceChecksum: base64ToHex(message.piece_checksum ?? ''),
    finished: message.finished ?? false,
    signer,
  };
}

const flag = z.boolean().exactOptional();

/** What is read of a message. */
const receiveMessage = z.object({
  ...taskForm,
  segment_idx: count,
  redundancy_idx: z.int().exactOptional(),
  piece_size: count,
  piece_checksum: z.base64().exactOptional(),
  signature: z.base64(),
  global_virtual_group_id: count,
  finished: flag,
  bucket_migration: flag,
});

function parse(header: string): z.infer<typeof receiveMessage> {
  try {
    return receiveMessage.parse(parseTaskHeader(header));
  } catch (cause) {
    throw new Terminal({
      code: 'bad-receive-task',
      message: `The header ${RECEIVE_MESSAGE_HEADER} does not contain a receive task.`,
      advice: 'Send the JSON of a GfSpReceivePieceTask, hex-encoded.',
      gatewayCode: 50005,
      cause,
    });
  }
}

function base64ToHex(base64: string): Hex {
  return toHex(Buffer.from(base64, 'base64'));
}
