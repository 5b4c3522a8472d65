/** What a document for signing may hold. 64-bit integers are written as strings, bytes as base64. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * The byte-exact JSON that Greenfield signs (protocols/replication/README.md#json-that-is-signed): keys sorted at every level, no white space, and
 * the escapes that Go's encoder chooses.
 */
export function sortedJson(value: JsonValue): string {
  return compact(value)
    .replace(/[<>&\u2028\u2029]/g, unicodeEscape)
    .replace(/\\./g, (pair) => SHORT_ESCAPES[pair] ?? pair);
}

/** Go (before 1.22, which the chain is built with) has no short form for these two. */
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\\b': '\\u0008', '\\f': '\\u000c' };

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function compact(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(compact).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${compact(value[key] as JsonValue)}`);
  return `{${members.join(',')}}`;
}

function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
