/** What a browser does with a payload: shows it, or saves it. */
export type Disposition = 'inline' | 'attachment';

/**
 * The headers by which a browser shows or saves a payload under the last part of its object's name (RFC 6266).
 * What is shown may be a page of a stranger: it gets an origin of its own, without scripts, forms and requests to
 * other sites, and is never taken for another type than its own.
 */
export function dispositionHeaders(
  disposition: Disposition,
  objectName: string,
  contentType: string,
): Record<string, string> {
  return {
    'Content-Disposition': `${disposition}; ${fileNameOf(objectName)}`,
    'X-Content-Type-Options': 'nosniff',
    ...(disposition === 'inline' && !isPdf(contentType) && { 'Content-Security-Policy': SANDBOX }),
  };
}

const SANDBOX =
  "default-src 'none'; img-src 'self' data:; media-src 'self' data:; style-src 'unsafe-inline'; sandbox";

/** Browsers refuse to show a PDF in a sandbox; it cannot run anything in the page's origin. */
function isPdf(contentType: string): boolean {
  return /^application\/pdf\s*(?:;|$)/i.test(contentType);
}

/** Both parameters: old clients read the first, which has ASCII only, and all others prefer the second. */
function fileNameOf(objectName: string): string {
  const name = objectName.split('/').findLast((part) => part !== '') ?? 'download';
  const ascii = name.replace(/[^\x20-\x7e]|["%\\]/gu, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
