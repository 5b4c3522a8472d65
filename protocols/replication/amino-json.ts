import type { JsonValue } from '../greenfield/sorted-json.ts';

/** JSON of today's HTTP wire between SPs: snake-case names, 64-bit integers as numbers, bytes base64. */
export type WireObject = { readonly [field: string]: JsonValue };

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

/** A message as legacy amino JSON has it: 64-bit integers as texts, zero values left out. */
export function aminoObject(wire: WireObject): WireObject {
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
