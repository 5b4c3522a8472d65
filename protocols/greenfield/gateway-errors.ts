import type { SealionError } from '../errors.ts';

/** One row of the gateway's error table. */
export interface GatewayError {
  readonly status: number;
  readonly area: string;
  /** Default text; a thrown error's own message is shown in its place. */
  readonly message: string;
}

const UNKNOWN_CODE = 999999;

/**
 * What the gateway answers, by code (protocols/greenfield/README.md#gateway-errors). Numbers and statuses are the wire's, the texts ours.
 * Where today's SPs use a number twice, the row is the one of the upload path. HTTP gives two rows another status
 * than they have: 416 to 50012 (400 there), and 412 to 50412, which they do not know.
 */
export const GATEWAY_ERRORS: Readonly<Record<number, GatewayError>> = {
  ...area('approver', {
    10001: [400, 'The approval request was lost.'],
    10002: [406, 'The account holds too many buckets.'],
    10003: [406, 'Too many approvals are in progress; try again later.'],
    10004: [406, 'The bucket is being migrated; try again later.'],
  }),
  ...area('authenticator', {
    20001: [400, 'This kind of operation is not supported.'],
    20002: [400, 'This storage provider is not the primary of the bucket.'],
    20003: [400, 'The object is not in the expected status.'],
    20004: [400, 'The object is not sealed.'],
    20005: [400, 'The payment account is not active.'],
    20006: [400, 'The account address is malformed.'],
    20007: [404, 'The bucket does not exist.'],
    20008: [404, 'The object does not exist.'],
    20009: [400, 'The bucket already exists.'],
    20010: [400, 'The object already exists.'],
    20011: [400, 'The account has no permission.'],
    20012: [400, 'The signature is wrong.'],
    20015: [400, 'The registered public key has expired.'],
    20016: [400, 'Address and domain of the user are needed.'],
    20017: [400, 'Address, domain and public key of the user are needed.'],
    20018: [400, 'At most 100 public keys can be named at once.'],
    20019: [400, 'The public key is not registered.'],
    20020: [400, 'The bucket is rate limited.'],
    25002: [500, 'The chain cannot be reached.'],
  }),
  ...area('downloader', {
    30001: [400, 'The download request was lost.'],
    30002: [400, 'The object is not sealed.'],
    30003: [400, 'Too many pieces are being read.'],
    30004: [406, 'The read quota of the bucket is used up.'],
    30005: [400, 'The parameters of the request are invalid.'],
    30006: [400, 'The piece does not exist.'],
    30007: [400, 'The piece key is malformed.'],
    30008: [406, 'The payment account is frozen.'],
    30009: [400, 'The object cannot be downloaded.'],
  }),
  ...area('executor', {
    40001: [400, 'The task was lost.'],
    40002: [404, 'Too few secondary storage providers approved.'],
    40003: [500, 'The object could not be sealed on chain.'],
    40004: [404, 'No approval is left to try.'],
    40005: [406, 'The integrity hash of a secondary is wrong.'],
    40006: [406, 'The secondary storage provider is not the expected one.'],
    40007: [406, 'The redundancy index is out of range.'],
    45209: [406, 'The index of the piece to recover is out of range.'],
    45216: [406, 'The BLS signature of a secondary is wrong.'],
  }),
  ...area('gater', {
    50001: [400, 'This way of signing is not supported.'],
    50002: [400, 'The Authorization header is malformed.'],
    50003: [400, 'The request was changed after it was signed.'],
    50004: [401, 'The account has no permission.'],
    50005: [400, 'The message in the header cannot be decoded.'],
    50006: [400, 'The message in the header is invalid.'],
    50007: [200, 'The approval was refused.'],
    50008: [400, 'This kind of request is not supported.'],
    50009: [400, 'A request header is invalid.'],
    50010: [400, 'A query parameter is invalid.'],
    50011: [500, 'The response cannot be encoded.'],
    50012: [416, 'The range lies outside the payload.'],
    50013: [400, 'The stream ended early.'],
    50014: [406, 'The request is for another storage provider.'],
    50015: [406, 'The signature is invalid.'],
    50016: [403, 'The payload size is not acceptable.'],
    50017: [400, 'The header with the app domain is wrong.'],
    50018: [400, 'The header with the public key is wrong.'],
    50019: [400, 'The header with the nonce is wrong.'],
    50020: [400, 'The signed message does not match the headers.'],
    50021: [400, 'The signed message is for another storage provider.'],
    50022: [400, 'The signed message does not follow the template.'],
    50023: [400, 'The expiry timestamp in the header is missing, past or too far ahead.'],
    50024: [400, 'The expiry timestamp in the query is missing, past or too far ahead.'],
    50025: [404, 'The object does not exist.'],
    50026: [403, 'Access is forbidden.'],
    50027: [400, 'The parameter "complete" is invalid.'],
    50028: [400, 'The parameter "offset" is invalid.'],
    50029: [403, 'The storage provider is not in service.'],
    50030: [400, 'This storage provider cannot help to recover the piece.'],
    50031: [400, 'Only erasure-coded pieces can be recovered.'],
    50032: [500, 'The storage provider is busy; try again later.'],
    50035: [500, 'The redundancy index is invalid.'],
    50036: [403, 'The bucket is not in service.'],
    50037: [400, 'The domain in the signed message is wrong.'],
    50038: [400, 'The task has expired.'],
    50039: [406, 'This storage provider is not the expected secondary.'],
    50040: [400, 'The nonce in the signed message is wrong.'],
    50041: [406, 'The sender is not the primary storage provider.'],
    50042: [400, 'The object is not in the status CREATED.'],
    50043: [400, 'The object is not sealed.'],
    50044: [400, 'The object name is invalid.'],
    50412: [412, 'A condition of the request does not hold.'],
    55001: [500, 'The chain cannot be reached.'],
    55002: [404, 'The chain has no such entry.'],
  }),
  ...area('manager', {
    60001: [400, 'The task was lost.'],
    60002: [406, 'The same task is already in progress.'],
    60003: [406, 'Too many tasks are in progress; try again later.'],
    60004: [400, 'The task was cancelled.'],
    65201: [500, 'The database failed.'],
  }),
  ...area('p2p', {
    70001: [400, 'The same approval is already being requested.'],
    70002: [404, 'Too few storage providers approved.'],
  }),
  ...area('receiver', {
    80001: [400, 'The piece was lost.'],
    80002: [406, 'The same piece is already being received.'],
    80003: [403, 'Pieces of the object are missing.'],
    80004: [406, 'The checksum of the data is wrong.'],
    85101: [500, 'The piece store failed.'],
    85102: [404, 'The piece is not stored here.'],
    85201: [500, 'The database failed.'],
  }),
  ...area('metadata', {
    90003: [404, 'No upload is recorded.'],
    90007: [400, 'The bucket name is invalid.'],
    90010: [404, 'The object does not exist.'],
  }),
  ...area('uploader', {
    110001: [400, 'The upload was lost.'],
    110002: [403, 'The object is not in the status CREATED.'],
    110003: [406, 'The object is already being uploaded.'],
    110004: [406, 'The payload does not match the checksums on chain.'],
    110005: [400, 'The payload stream ended early.'],
    110006: [409, 'The object has already been uploaded.'],
    110007: [500, 'The state of the upload cannot be read.'],
    110008: [400, 'The payload does not have the size that was announced.'],
    115001: [500, 'The piece store failed.'],
    115101: [500, 'The database failed.'],
  }),
  ...area('virtual group manager', {
    540001: [500, 'No virtual group family can take a new bucket.'],
  }),
  ...area('middleware', {
    960001: [429, 'Too many requests; try again later.'],
  }),
  ...area('signer', {
    120001: [400, 'Signing failed.'],
    120002: [400, 'The seal could not be sent.'],
    120003: [400, 'The reject could not be sent.'],
    120019: [400, 'The update could not be announced for the client.'],
    120020: [400, 'The object could not be created for the client.'],
  }),
};

/** What an HTTP client sees of an error. */
export interface GatewayAnswer {
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

/**
 * The answer to a failed request. An error without a known gateway code becomes 500 / 999999, and its message
 * stays inside: it was not written for strangers.
 */
export function gatewayAnswer(error: SealionError): GatewayAnswer {
  const row = error.gatewayCode === undefined ? undefined : GATEWAY_ERRORS[error.gatewayCode];
  if (row === undefined || error.gatewayCode === undefined) {
    return { status: 500, code: UNKNOWN_CODE, message: 'Something went wrong inside the storage provider.' };
  }
  return { status: row.status, code: error.gatewayCode, message: error.message || row.message };
}

/**
 * The body of a failed request; its Content-Type is `application/xml`. Clients dereference `Error.Code`, so every
 * failure must carry it.
 */
export function errorXml(code: number, message: string): string {
  return `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
}

function area(
  name: string,
  rows: Readonly<Record<number, readonly [status: number, message: string]>>,
): Record<number, GatewayError> {
  return Object.fromEntries(
    Object.entries(rows).map(([code, [status, message]]) => [code, { status, area: name, message }]),
  );
}

const XML_ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  // A parser turns the character itself into a line feed.
  ['\r', '&#13;'],
]);

/** Text for an XML element; characters that XML 1.0 cannot hold become U+FFFD. */
export function escapeXml(text: string): string {
  return Array.from(text, (character) => {
    const entity = XML_ENTITIES.get(character);
    if (entity !== undefined) return entity;
    return /[\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(character) ? character : '\ufffd';
  }).join('');
}
