import { Base64UrlPaddedCodec, type ObjectInfo } from '@nats-io/obj';
import type { Hex } from '../../protocols/greenfield/types.ts';
import type { StoredPiece } from './piece-store.ts';

/**
 * How a NATS object store keeps an object in its stream (NATS architecture decision record 20): chunks under
 * `$O.<bucket>.C.<nuid>`, and one JSON record, the meta, under `$O.<bucket>.M.<name in base64url>`. An object
 * exists when its meta does. What follows it can be read by any NATS client.
 */
export interface ObjectPiece extends StoredPiece {
  /** Under which the chunks lie; another for every put. */
  readonly nuid: string;
  /** Stream sequence of the meta: names exactly this put of the key. */
  readonly revision: number;
  /** Bytes of every chunk but the last. */
  readonly chunkSize: number;
  /** Stream sequences of the chunks in order; empty when another program stored the object. */
  readonly chunks: readonly number[];
}

/** Our entry in the meta's metadata: the stream sequences of the chunks, so that a range is read without a search. */
const CHUNKS = 'chunk-sequences';
const DIGEST = 'SHA-256=';

export function chunkSubject(bucket: string, nuid: string): string {
  return `$O.${bucket}.C.${nuid}`;
}

export function metaSubject(bucket: string, key: string): string {
  return `$O.${bucket}.M.${Base64UrlPaddedCodec.encode(key)}`;
}

export function allChunks(bucket: string): string {
  return `$O.${bucket}.C.>`;
}

export function allMetas(bucket: string): string {
  return `$O.${bucket}.M.>`;
}

/** Of a chunk's subject. */
export function nuidOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** The meta record of a piece; its revision is known only once it is stored. */
export function formatMeta(bucket: string, piece: Omit<ObjectPiece, 'revision'>): string {
  return JSON.stringify({
    name: piece.key,
    bucket,
    nuid: piece.nuid,
    size: piece.size,
    chunks: piece.chunks.length,
    digest: `${DIGEST}${Buffer.from(piece.checksum, 'hex').toString('base64url')}=`,
    deleted: false,
    mtime: new Date().toISOString(),
    options: { max_chunk_size: piece.chunkSize },
    metadata: { [CHUNKS]: piece.chunks.join(',') },
  });
}

export function pieceFromInfo(info: ObjectInfo): ObjectPiece {
  const chunks = info.metadata?.[CHUNKS];
  return {
    key: info.name,
    size: info.size,
    checksum: checksumOf(info.digest),
    nuid: info.nuid,
    revision: info.revision,
    chunkSize: info.options?.max_chunk_size ?? 0,
    chunks: chunks ? chunks.split(',').map(Number) : [],
  };
}

function checksumOf(digest: string): Hex {
  return Buffer.from(digest.slice(DIGEST.length), 'base64url').toString('hex');
}
