import { parseHttpDate } from './http-date.ts';

/** The validators of one content of an object (RFC 9110 §8.8). */
export interface Validators {
  /** A strong entity tag, including its quotes. */
  readonly etag: string;
  /** When the content was announced, unix seconds. */
  readonly lastModified: number;
  /**
   * True for an update. Readers get the previous content until the update is sealed, which is after `lastModified`: a
   * later date therefore does not show which of the two contents a client has.
   */
  readonly replaces: boolean;
}

/** The effect of a request's conditions on its answer. */
export type Verdict =
  /** 412 */
  | 'failed'
  /** 304 */
  | 'not-modified'
  /** 200; `Range` is ignored. */
  | 'whole'
  /** 206 with a `Range`, otherwise 200. */
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
