import { parseHttpDate } from './http-date.ts';

/** What tells one content of an object from another (RFC 9110 §8.8). */
export interface Validators {
  /** A strong entity tag, in its quotes. */
  readonly etag: string;
  /** When the content was announced, unix seconds. */
  readonly lastModified: number;
  /**
   * True for an update: until its seal, later than that time, readers had the content before. So a later date does
   * not say which of both a client has.
   */
  readonly replaces: boolean;
}

/** How a request goes on after its conditions. */
export type Verdict =
  /** 412 */
  | 'failed'
  /** 304 */
  | 'not-modified'
  /** 200, whatever `Range` says. */
  | 'whole'
  /** 206 when there is a `Range`. */
  | 'as-asked';

/**
 * Evaluates the conditions of a GET or HEAD in the order of RFC 9110 §13.2.2. Malformed dates are ignored.
 * @param header of the request, by name
 */
export function evaluate(header: (name: string) => string | undefined, validators: Validators): Verdict {
  const ifMatch = header('If-Match');
  const ifNoneMatch = header('If-None-Match');
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, validators, 'strong')) return 'failed';
  } else if (isUnchangedSince(header('If-Unmodified-Since'), validators) === false) {
    return 'failed';
  }
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, validators, 'weak')) return 'not-modified';
  } else if (isUnchangedSince(header('If-Modified-Since'), validators)) {
    return 'not-modified';
  }
  const ifRange = header('If-Range');
  return ifRange === undefined || isSame(ifRange.trim(), validators) ? 'as-asked' : 'whole';
}

/** `*` or a list of entity tags, which may contain commas. */
function matches(list: string, { etag }: Validators, comparison: 'strong' | 'weak'): boolean {
  if (list.trim() === '*') return true;
  for (const [, weak, tag] of list.matchAll(/(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g)) {
    if (tag === etag && (weak === undefined || comparison === 'weak')) return true;
  }
  return false;
}

/** Undefined without a valid date. */
function isUnchangedSince(header: string | undefined, content: Validators): boolean | undefined {
  const date = header === undefined ? undefined : parseHttpDate(header.trim());
  if (date === undefined) return undefined;
  return date === content.lastModified || (date > content.lastModified && !content.replaces);
}

/** An entity tag, or exactly the date of the content. */
function isSame(ifRange: string, { etag, lastModified }: Validators): boolean {
  return ifRange === etag || parseHttpDate(ifRange) === lastModified;
}
