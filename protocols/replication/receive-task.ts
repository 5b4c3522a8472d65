import { keccak256 } from '../greenfield/keccak.ts';
import { type JsonValue, sortedJson } from '../greenfield/sorted-json.ts';

/** JSON of today's HTTP wire between SPs: snake-case names, 64-bit integers as numbers, bytes base64. */
export type WireObject = { readonly [field: string]: JsonValue };

/**
 * The fields of a receive task that its signature covers (greenfield.md §6.4). The whole task comes from the header
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

/** The 64-bit integers of the wire's messages: numbers there, texts in what is signed. */
const LONG_FIELDS: ReadonlySet<string> = new Set([
  'create_at',
  'create_time',
  'discontinue_bucket_max',
  'discontinue_confirm_period',
  'discontinue_counting_window',
  'discontinue_deletion_max',
  'discontinue_object_max',
  'max_payload_size',
  'max_segment_size',
  'min_charge_size',
  'min_quota_update_interval',
  'payload_size',
  'piece_size',
  'stale_policy_cleanup_max',
  'update_time',
  'updated_at',
  'version',
]);

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

function aminoObject(wire: WireObject): WireObject {
  const kept = Object.entries(wire).filter(([, value]) => !isZero(value));
  return Object.fromEntries(kept.map(([name, value]) => [name, aminoValue(name, value)]));
}

function aminoValue(name: string, value: JsonValue): JsonValue {
  if (typeof value === 'number') return LONG_FIELDS.has(name) ? value.toString() : value;
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map((item) => aminoValue(name, item));
  // the one list that is written out when it is empty: that of an object whose tags were taken away
  if (name === 'tags' && value.tags !== undefined && isZero(value.tags)) return { tags: null };
  return aminoObject(value);
}

function isZero(value: JsonValue): boolean {
  return (
    value === 0 || value === '' || value === false || value === null || (isList(value) && value.length === 0)
  );
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
