import { createHash } from 'node:crypto';
import type { PubAck } from '@nats-io/jetstream';
import { nuid as nuids } from '@nats-io/nats-core';
import { Retryable, SealionError, throwIfAborted } from '../../protocols/errors.ts';
import { isWrongLastSequence } from '../nats/errors.ts';
import { type Bucket, purgeChunks, unavailable } from './bucket.ts';
import { chunksOf } from './chunks.ts';
import { chunkSubject, formatMeta, metaSubject, type ObjectPiece } from './object-layout.ts';
import type { PieceOptions } from './piece-store.ts';

const CHUNK_LIMIT = 1024 * 1024;
/** Room for headers: a message of max_payload bytes and a header is refused. */
const HEADROOM = 4096;
/** Chunks whose acknowledgement is awaited while the next one is hashed. */
const WINDOW = 2;
/** A put that takes longer is given up, since a sweep may take its chunks for orphans. */
const PUT_LIMIT_MS = 30 * 60_000;
const META_TRIES = 3;

/** Outcome of a put under a name that was free when it began; `lost` when another put took it meanwhile. */
export type Written =
  | { readonly outcome: 'stored'; readonly piece: ObjectPiece }
  | { readonly outcome: 'lost'; readonly checksum: string };

/**
 * Stores chunks, then the meta under the condition that the name is still free (expected sequence 0). The
 * library's own put is not used because after a lost acknowledgement of the meta it purges the chunks: the name
 * would stand without its bytes. Here chunks go only while the meta cannot have been stored.
 */
export async function writeObject(
  bucket: Bucket,
  key: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: PieceOptions,
): Promise<Written> {
  const giveUpAt = performance.now() + PUT_LIMIT_MS;
  const draft = await writeChunks(bucket, key, source, { ...options, giveUpAt });
  const revision = await writeMeta(bucket, draft);
  if (revision === undefined) {
    await dropChunks(bucket, draft.nuid);
    return { outcome: 'lost', checksum: draft.checksum };
  }
  // The process may have been stopped just before the meta went out, and a sweep have run in between.
  if (performance.now() > giveUpAt) {
    await bucket.manager.streams.deleteMessage(bucket.stream, revision, false).catch((error: unknown) => {
      throw unavailable(error, `taking back ${key}`);
    });
    throw tooSlow(key);
  }
  return { outcome: 'stored', piece: { ...draft, revision } };
}

type Draft = Omit<ObjectPiece, 'revision'>;

async function writeChunks(
  bucket: Bucket,
  key: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: PieceOptions & { readonly giveUpAt: number },
): Promise<Draft> {
  const nuid = nuids.next();
  const subject = chunkSubject(bucket.name, nuid);
  const chunkSize = chunkSizeOf(bucket);
  const hash = createHash('sha256');
  const acks: Promise<PubAck>[] = [];
  let size = 0;
  try {
    for await (const chunk of chunksOf(source, chunkSize)) {
      throwIfAborted(options.signal);
      await acks.at(-WINDOW);
      const ack = bucket.client.publish(subject, chunk);
      // seen below, even when an earlier one fails first
      ack.catch(() => undefined);
      acks.push(ack);
      hash.update(chunk);
      size += chunk.length;
    }
    const chunks = (await Promise.all(acks)).map((ack) => ack.seq);
    throwIfAborted(options.signal);
    if (performance.now() > options.giveUpAt) throw tooSlow(key);
    return { key, size, checksum: hash.digest('hex'), nuid, chunkSize, chunks };
  } catch (error) {
    await Promise.allSettled(acks);
    if (acks.length > 0) await dropChunks(bucket, nuid);
    throw error instanceof SealionError ? error : unavailable(error, `storing ${key}`);
  }
}

/**
 * Repeats until the outcome is known: the message id makes a repetition of a stored meta a success.
 * @returns the revision; undefined when the name is taken
 */
async function writeMeta(bucket: Bucket, draft: Draft): Promise<number | undefined> {
  const subject = metaSubject(bucket.name, draft.key);
  const body = formatMeta(bucket.name, draft);
  for (let tries = 1; ; tries++) {
    try {
      const ack = await bucket.client.publish(subject, body, {
        msgID: draft.nuid,
        expect: { lastSubjectSequence: 0 },
      });
      return ack.seq;
    } catch (error) {
      if (isWrongLastSequence(error)) return await revisionOf(bucket, draft);
      if (tries === META_TRIES) throw unavailable(error, `naming ${draft.key}`);
    }
  }
}

/** The revision of our own put, where the server has forgotten our message id but not our meta. */
async function revisionOf(bucket: Bucket, draft: Draft): Promise<number | undefined> {
  const info = await bucket.objects.info(draft.key).catch((error: unknown) => {
    throw unavailable(error, `looking up ${draft.key}`);
  });
  return info?.nuid === draft.nuid ? info.revision : undefined;
}

/** Best effort: what stays behind is an orphan, and a sweep removes it. */
async function dropChunks(bucket: Bucket, nuid: string): Promise<void> {
  await purgeChunks(bucket, nuid).catch((error: unknown) =>
    bucket.log.warn({ error, nuid }, 'chunks of a failed put stay until the next sweep'),
  );
}

function chunkSizeOf(bucket: Bucket): number {
  return Math.min(CHUNK_LIMIT, (bucket.connection.info?.max_payload ?? CHUNK_LIMIT) - HEADROOM);
}

function tooSlow(key: string): Retryable {
  return new Retryable({
    code: 'piece-store-unavailable',
    message: `Storing ${key} took longer than ${PUT_LIMIT_MS / 60_000} min.`,
  });
}
