/** Whether a browser shows or saves a payload. */
export type Disposition = 'inline' | 'attachment';

/**
 * The headers that make a browser show a payload, or save it under the last part of its object's name (RFC 6266). A
 * payload may be a malicious page: it is shown in an origin of its own without scripts, forms or requests to other
 * sites, and its type is not guessed.
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

/** PDFs are not sandboxed: browsers would not show them, and they cannot run anything in the page's origin. */
function isPdf(contentType: string): boolean {
  return /^application\/pdf\s*(?:;|$)/i.test(contentType);
}

/** `filename`, in ASCII, for old clients, and `filename*`, which all others prefer. */
function fileNameOf(objectName: string): string {
  const name = objectName.split('/').findLast((part) => part !== '') ?? 'download';
  const ascii = name.replace(/[^\x20-\x7e]|["%\\]/gu, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
