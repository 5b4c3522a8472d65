/** A part of a payload, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads a `Range` header (RFC 9110 §14.2): `bytes=a-b`, `bytes=a-` and `bytes=-n` (the last n bytes), with the end
 * limited to the payload. Headers that may be ignored are ignored: other units, several ranges, malformed ranges, and
 * every range of an empty payload.
 * @param size of the payload, bytes
 * @returns undefined for the whole payload; `unsatisfiable` when the range has none of its bytes
 */
export function readRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  // A list may have empty elements, and spaces around its commas.
  const match = /^bytes=[\s,]*([0-9]*)-([0-9]*)[\s,]*$/i.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (size === 0 || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === '' ? size - 1 : Number(last);
  if (offset > end && last !== '') return undefined;
  return offset >= size ? 'unsatisfiable' : { offset, length: Math.min(end, size - 1) - offset + 1 };
}
