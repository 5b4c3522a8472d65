import { z } from 'zod';
import { Terminal } from '../errors.ts';
import { fromHex, toHex } from '../greenfield/hex.ts';
import { recoverAddress } from '../greenfield/signature.ts';
import type { Hex, Redundancy } from '../greenfield/types.ts';
import type { JobId } from '../job/identity.ts';
import type { PayloadShape } from '../payload/plan.ts';
import { type ReceiveTask, receiveTaskDigest } from './receive-task.ts';

/**
 * Today's HTTP wire between SPs (greenfield.md §6.4). A primary PUTs each piece of a column to this path below the
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

/** What a secondary reads of a receive task whose signature holds. Nothing of it was compared with the chain yet. */
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

/** A task older than this is not taken, seconds. */
const MAX_AGE_S = 1000;

/**
 * Reads the value of the header, and finds out who signed it.
 * @param now unix ms; tasks of the future pass, as with today's SPs
 * @throws Terminal `bad-receive-task` (50005), `bad-signature` (50015), `receive-task-expired` (50038),
 * `migration-not-served` (50008)
 */
export function readReceiveMessage(header: string, now: number): ReceivedTask {
  const message = parse(header);
  const signer = recoverAddress(receiveTaskDigest(message), Buffer.from(message.signature, 'base64'));
  if (Math.floor(now / 1000) - message.task.update_time > MAX_AGE_S) {
    throw new Terminal({
      code: 'receive-task-expired',
      message: `The task is older than ${MAX_AGE_S} seconds.`,
      advice: 'Sign it anew, and compare the clocks.',
      gatewayCode: 50038,
    });
  }
  if (message.bucket_migration) {
    throw new Terminal({
      code: 'migration-not-served',
      message: 'Pieces of buckets that are migrated are not taken here.',
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
    redundancy: REDUNDANCIES[object.redundancy_type ?? 0],
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

const REDUNDANCIES = { 0: 'EC', 1: 'REPLICA' } as const;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const count = z.int().nonnegative().exactOptional();
const flag = z.boolean().exactOptional();
/** What the object's tags look like; the signature covers them. */
const tags = z.strictObject({
  tags: z.array(z.record(z.string(), scalar)).nullable().exactOptional(),
});

/**
 * What is read of a message, and of the rest only that it is flat: Go leaves zero values out, and newer SPs may
 * send more.
 */
const receiveMessage = z.object({
  object_info: z
    .object({
      id: z.string().regex(/^[1-9][0-9]{0,77}$/),
      bucket_name: z.string().min(1),
      object_name: z.string().min(1),
      payload_size: count,
      redundancy_type: z.literal([0, 1]).exactOptional(),
      checksums: z.array(z.base64()).max(257).exactOptional(),
      version: z.int().min(0).max(999_999_999).exactOptional(),
    })
    .catchall(z.union([scalar, z.array(scalar), tags])),
  storage_params: z
    .object({
      versioned_params: z
        .object({
          max_segment_size: count,
          redundant_data_chunk_num: count,
          redundant_parity_chunk_num: count,
        })
        .catchall(scalar),
    })
    .catchall(scalar),
  task: z.object({ create_time: z.int().default(0), update_time: z.int().default(0) }),
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
    const json = Buffer.from(fromHex(header)).toString('utf8');
    return receiveMessage.parse(JSON.parse(withLongNumbersAsText(json)));
  } catch (cause) {
    throw new Terminal({
      code: 'bad-receive-task',
      message: `The header ${RECEIVE_MESSAGE_HEADER} holds no receive task.`,
      advice: 'Give it as hex of the JSON of a GfSpReceivePieceTask.',
      gatewayCode: 50005,
      cause,
    });
  }
}

/**
 * Some of the chain's parameters are 2⁶⁴ − 1, which no JavaScript number holds; in the signed document such
 * integers are texts anyway.
 */
function withLongNumbersAsText(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?[0-9]{16,}/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  );
}

function base64ToHex(base64: string): Hex {
  return toHex(Buffer.from(base64, 'base64'));
}
