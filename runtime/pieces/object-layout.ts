import { headers, type MsgHdrs } from '@nats-io/nats-core';
import { Base64UrlPaddedCodec, type ObjectInfo } from '@nats-io/obj';
import type { Hex } from '#protocols/greenfield/types';
import type { StoredPiece } from './piece-store.ts';

/**
 * How a NATS object store keeps an object in its stream (NATS architecture decision record 20): chunks under
 * `$O.<bucket>.C.<nuid>`, and one JSON record, the meta, under `$O.<bucket>.M.<name in base64url>`. An object
 * exists when its meta does. What follows it can be read by any NATS client.
 */
export interface ObjectPiece extends StoredPiece {
  /** Unique id of the put, under which its chunks are stored. */
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
/** Our header of every chunk; chunks of other programs and of our first versions do not have it. */
const PIECE = 'Sealion-Piece';
/** Our entry in the metadata of a meta with which a sweep holds a name while it purges chunks. */
const HELD_BY_SWEEP = 'held-by-sweep';

export function chunkSubject(bucket: string, nuid: string): string {
  return `$O.${bucket}.C.${nuid}`;
}

export function metaSubject(bucket: string, key: string): string {
  return `$O.${bucket}.M.${Base64UrlPaddedCodec.encode(key)}`;
}

/** Headers of a chunk: the piece it belongs to, so that the piece can be looked up by name. */
export function chunkHeaders(key: string): MsgHdrs {
  const hdrs = headers();
  hdrs.set(PIECE, Base64UrlPaddedCodec.encode(key));
  return hdrs;
}

/** The piece that a chunk belongs to; undefined without a valid header of ours. */
export function keyOfChunk(hdrs: MsgHdrs | undefined): string | undefined {
  const token = hdrs?.get(PIECE);
  if (!token) return undefined;
  const key = Buffer.from(token, 'base64url').toString();
  return Base64UrlPaddedCodec.encode(key) === token ? key : undefined;
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

/**
 * A meta marked as deleted, with the nuid of an abandoned put. While it is stored under the name, no put of that
 * name can become a piece; other clients see a free name.
 */
export function formatHold(bucket: string, key: string, nuid: string): string {
  return JSON.stringify({
    name: key,
    bucket,
    nuid,
    size: 0,
    chunks: 0,
    digest: '',
    deleted: true,
    mtime: new Date().toISOString(),
    metadata: { [HELD_BY_SWEEP]: 'true' },
  });
}

/** True for a meta of `formatHold`. */
export function isHold(info: Pick<ObjectInfo, 'deleted' | 'metadata'>): boolean {
  return info.deleted && info.metadata?.[HELD_BY_SWEEP] !== undefined;
}

/** Reads a meta of any program from its message; undefined when it is damaged. */
export function readMeta(data: Uint8Array): Omit<ObjectInfo, 'revision'> | undefined {
  try {
    const info: unknown = JSON.parse(Buffer.from(data).toString());
    const { name, nuid } = info as Partial<ObjectInfo>;
    return typeof name === 'string' && typeof nuid === 'string' ? (info as ObjectInfo) : undefined;
  } catch {
    return undefined;
  }
}

export function pieceFromInfo(info: ObjectInfo): ObjectPiece {
  const chunks = info.metadata?.[CHUNKS];
  return {
    key: info.name,
    size: info.size,
    checksum: checksumOf(info.digest ?? ''),
    nuid: info.nuid,
    revision: info.revision,
    chunkSize: info.options?.max_chunk_size ?? 0,
    chunks: chunks ? chunks.split(',').map(Number) : [],
  };
}

function checksumOf(digest: string): Hex {
  return Buffer.from(digest.slice(DIGEST.length), 'base64url').toString('hex');
}
