/**
 * The two parts of a request line's target, as they were sent. URL parsers are not for what strangers send: they
 * throw (`//`), and resolve what the client signed as it was (`/../`).
 */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  return mark < 0
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * The parameters of a query, decoded, in the order in which they came. A signature covers these and no others, so
 * nothing else of a query may have an effect: pairs that hold a `;` or cannot be decoded are left out, as Go's
 * `url.ParseQuery` does, and of a name that comes more than once the first counts, while all are signed.
 */
export function parseQuery(query: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const mark = pair.indexOf('=');
    const name = formDecode(mark < 0 ? pair : pair.slice(0, mark));
    const value = formDecode(mark < 0 ? '' : pair.slice(mark + 1));
    if (name !== undefined && value !== undefined) pairs.push([name, value]);
  }
  return pairs;
}

function formDecode(text: string): string | undefined {
  return percentDecode(text.replaceAll('+', ' '));
}

/** Undefined for what is not percent-encoded UTF-8. */
export function percentDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
