import { keccak256 } from '../greenfield/keccak.ts';
import { sortedJson } from '../greenfield/sorted-json.ts';
import { aminoObject, type WireObject } from './amino-json.ts';

/**
 * The fields of today's recovery task (GfSpRecoverPieceTask, storage provider v1.10.1) that its signature covers. The
 * whole task comes from the header X-Gnfd-Recovery-Msg; what else is in it is not signed.
 */
export interface RecoveryTask {
  readonly object_info: WireObject;
  readonly storage_params: WireObject;
  readonly task: { readonly create_time: number; readonly update_time: number };
  readonly segment_idx?: number;
  /** The column that is being repaired: −1 when the primary repairs a segment. */
  readonly ec_idx?: number;
  /** Bytes. */
  readonly piece_size?: number;
}

/** The 32 bytes that the asker's operator key signs of a recovery task. */
export function recoveryTaskDigest(task: RecoveryTask): Uint8Array {
  return keccak256(recoveryTaskDocument(task));
}

/**
 * The signed text. Unlike the receive task, this one has no name registered with amino, so the message stands there
 * without the envelope of type and value.
 */
export function recoveryTaskDocument(task: RecoveryTask): string {
  const { object_info, storage_params, segment_idx, ec_idx, piece_size } = task;
  const { create_time, update_time } = task.task;
  const signed = {
    object_info,
    storage_params,
    task: { create_time, update_time },
    segment_idx: segment_idx ?? 0,
    ec_idx: ec_idx ?? 0,
    piece_size: piece_size ?? 0,
  };
  return sortedJson(aminoObject(signed));
}
