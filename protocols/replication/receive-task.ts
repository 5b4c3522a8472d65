import { keccak256 } from '../greenfield/keccak.ts';
import { sortedJson } from '../greenfield/sorted-json.ts';
import { aminoObject, type WireObject } from './amino-json.ts';

/**
 * The fields of a receive task that its signature covers (protocols/replication/README.md#receive-tasks-over-http). The whole task comes from the header
 * X-Gnfd-Receive-Msg; what else is in it is not signed.
 */
export interface ReceiveTask {
  readonly object_info: WireObject;
  readonly storage_params: WireObject;
  readonly task: { readonly create_time: number; readonly update_time: number };
  readonly segment_idx?: number;
  readonly redundancy_idx?: number;
  readonly piece_size?: number;
  readonly piece_checksum?: string;
}

/** The 32 bytes that the primary's operator key signs of a receive task. */
export function receiveTaskDigest(task: ReceiveTask): Uint8Array {
  return keccak256(receiveTaskDocument(task));
}

/** The signed text: legacy amino JSON, which writes 64-bit integers as texts and leaves zero values out. */
export function receiveTaskDocument(task: ReceiveTask): string {
  const { object_info, storage_params, segment_idx, redundancy_idx, piece_size, piece_checksum } = task;
  const { create_time, update_time } = task.task;
  const signed = {
    object_info,
    storage_params,
    task: { create_time, update_time },
    segment_idx: segment_idx ?? 0,
    redundancy_idx: redundancy_idx ?? 0,
    piece_size: piece_size ?? 0,
    piece_checksum: piece_checksum ?? '',
  };
  return sortedJson({ type: 'secondary/ReceivePieceTask', value: aminoObject(signed) });
}
