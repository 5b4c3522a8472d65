import { createHash } from 'node:crypto';
import type { JetStreamPublishOptions, PubAck } from '@nats-io/jetstream';
import { nuid as nuids } from '@nats-io/nats-core';
import { Retryable, SealionError, throwIfAborted } from '#protocols/errors';
import { orAborted } from '../async/or-aborted.ts';
import { nextTurn } from '../async/turns.ts';
import { askAgain } from '../nats/ask-again.ts';
import { isWrongLastSequence } from '../nats/errors.ts';
import { linkOf } from '../nats/link.ts';
import { connectionBack } from '../nats/reconnects.ts';
import { type Bucket, deleteMessage, purgeChunks, unavailable } from './bucket.ts';
import { chunksOf } from './chunks.ts';
import { chunkHeaders, chunkSubject, formatMeta, metaSubject, type ObjectPiece } from './object-layout.ts';
import type { PieceOptions } from './piece-store.ts';

const CHUNK_LIMIT = 1024 * 1024;
/** Room for headers: a message of max_payload bytes and a header is refused. */
const HEADROOM = 4096;
/** Chunks whose acknowledgement is awaited while the next one is hashed. */
const WINDOW = 2;
const META_TRIES = 3;

/** Outcome of a put under a name that was free at its start; `lost` when another put took the name meanwhile. */
export type Written =
  | { readonly outcome: 'stored'; readonly piece: ObjectPiece }
  | { readonly outcome: 'lost'; readonly checksum: string };

/**
 * Stores chunks, then the meta under the condition that the name is still free (expected sequence 0). The library's
 * own put is not used because after a lost acknowledgement of the meta it purges the chunks, which leaves a name
 * without bytes. Here chunks are purged only if the meta cannot have been stored.
 */
export async function writeObject(
  bucket: Bucket,
  key: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: PieceOptions,
): Promise<Written> {
  const time = new PutTime(bucket, key);
  const draft = await writeChunks(bucket, key, source, { ...options, time });
  const revision = await writeMeta(bucket, draft, time).catch((error: unknown) => {
    throw unavailable(error, `naming ${key}`);
  });
  if (revision === undefined) {
    await dropChunks(bucket, draft.nuid);
    return { outcome: 'lost', checksum: draft.checksum };
  }
  // The process may have been suspended just before sending the meta, and a sweep may have run meanwhile.
  if (time.isOver) {
    await deleteMessage(bucket, revision).catch((error: unknown) => {
      throw unavailable(error, `undoing the put of ${key}`);
    });
    throw time.error();
  }
  return { outcome: 'stored', piece: { ...draft, revision } };
}

/**
 * A put may write its meta only while its chunks are young, since a sweep treats old chunks without a meta as
 * orphans. Both clocks are checked, since the monotonic clock stops while a machine is suspended. When both stop,
 * as in a paused virtual machine, the server closes the connection; so the meta must be sent over the same
 * connection as the chunks.
 */
class PutTime {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #link: string | undefined;
  readonly #end: { readonly monotonic: number; readonly wall: number };

  constructor(bucket: Bucket, key: string) {
    this.#bucket = bucket;
    this.#key = key;
    this.#link = linkOf(bucket.connection);
    const { putLimitMs } = bucket;
    this.#end = { monotonic: performance.now() + putLimitMs, wall: Date.now() + putLimitMs };
  }

  get isOver(): boolean {
    return performance.now() > this.#end.monotonic || Date.now() > this.#end.wall;
  }

  get isLinkLost(): boolean {
    return this.#link === undefined || linkOf(this.#bucket.connection) !== this.#link;
  }

  error(): Retryable {
    return new Retryable({
      code: 'piece-store-unavailable',
      message: this.isOver
        ? `Storing ${this.#key} took longer than ${this.#bucket.putLimitMs / 1000} s.`
        : `The connection to the nats-server was interrupted while ${this.#key} was stored.`,
    });
  }
}

type Draft = Omit<ObjectPiece, 'revision'>;

async function writeChunks(
  bucket: Bucket,
  key: string,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  options: PieceOptions & { readonly time: PutTime },
): Promise<Draft> {
  const nuid = nuids.next();
  const subject = chunkSubject(bucket.name, nuid);
  const headers = chunkHeaders(key);
  const chunkSize = chunkSizeOf(bucket);
  const hash = createHash('sha256');
  const acks: Promise<PubAck>[] = [];
  const memory: Uint8Array[] = [];
  // When one more than are in flight is begun, the first of them has been acknowledged.
  const memoryOfNext = () => {
    const place = acks.length % (WINDOW + 1);
    memory[place] ??= bucket.chunkMemory.take(chunkSize);
    return memory[place];
  };
  // A put whose connection was lost fails anyway: it need not wait for answers that do not come.
  const back = connectionBack(bucket.connection);
  let size = 0;
  try {
    for await (const chunk of chunksOf(source, chunkSize, (bytes) => hash.update(bytes), memoryOfNext)) {
      throwIfAborted(options.signal);
      await acks.at(-WINDOW);
      await nextTurn();
      const msgID = `${nuid}.${acks.length}`;
      const sent = bucket.isReplicated
        ? publishAgain(bucket, options.time, subject, chunk, { headers: chunkHeaders(key), msgID })
        : bucket.client.publish(subject, chunk, { headers });
      const ack = orAborted(sent, back);
      // handled below, even when an earlier one fails first
      ack.catch(() => undefined);
      acks.push(ack);
      size += chunk.length;
    }
    const chunks = (await Promise.all(acks)).map((ack) => ack.seq);
    bucket.chunkMemory.giveBack(memory);
    throwIfAborted(options.signal);
    if (options.time.isOver || options.time.isLinkLost) throw options.time.error();
    if (!isAscending(chunks)) throw disordered(key);
    return { key, size, checksum: hash.digest('hex'), nuid, chunkSize, chunks };
  } catch (error) {
    await Promise.allSettled(acks);
    if (acks.length > 0) await dropChunks(bucket, nuid);
    if (back.aborted) throw options.time.error();
    throw error instanceof SealionError ? error : unavailable(error, `storing ${key}`);
  }
}

/**
 * Publishes a message with an id, again while there is no answer: the server stores it once. It is not sent over
 * another connection; see `PutTime`.
 */
function publishAgain(
  { connection, client, repeats }: Bucket,
  time: PutTime,
  subject: string,
  body: Uint8Array | string,
  options: Partial<JetStreamPublishOptions>,
): Promise<PubAck> {
  const publish = (timeout: number) =>
    time.isOver || time.isLinkLost
      ? Promise.reject(time.error())
      : client.publish(subject, body, { ...options, timeout });
  return askAgain(connection, publish, repeats);
}

/** Others read the chunks of an object in the order of the stream. */
function isAscending(sequences: readonly number[]): boolean {
  return sequences.every((sequence, index) => index === 0 || sequence > (sequences[index - 1] ?? 0));
}

function disordered(key: string): Retryable {
  return new Retryable({
    code: 'piece-store-unavailable',
    message: `A chunk of ${key} was stored only when it was sent again, behind a later one.`,
  });
}

/**
 * Repeats until the outcome is known: the message id makes a repetition of a stored meta a success. Once the time
 * is over or the connection was lost, it only checks whether the meta has arrived.
 * @returns the revision; undefined when the name certainly belongs to another put
 */
async function writeMeta(bucket: Bucket, draft: Draft, time: PutTime): Promise<number | undefined> {
  const subject = metaSubject(bucket.name, draft.key);
  const body = formatMeta(bucket.name, draft);
  for (let tries = 1; ; tries++) {
    if (time.isOver || time.isLinkLost) {
      const revision = await revisionOf(bucket, draft, time);
      if (revision === undefined) throw time.error();
      return revision;
    }
    try {
      const options = { msgID: draft.nuid, expect: { lastSubjectSequence: 0 } };
      return (await publishAgain(bucket, time, subject, body, options)).seq;
    } catch (error) {
      if (isWrongLastSequence(error)) return await revisionOf(bucket, draft, time);
      if (tries === META_TRIES) throw error;
    }
  }
}

/**
 * The revision of our own put, if the server has forgotten our message id but has our meta.
 * @returns undefined when another put has the name
 * @throws when the server returns no meta: that may also be a failure to read it, so the chunks must be kept
 */
async function revisionOf(bucket: Bucket, draft: Draft, time: PutTime): Promise<number | undefined> {
  const info = await bucket.objects.info(draft.key);
  if (!info) throw time.error();
  return info.nuid === draft.nuid ? info.revision : undefined;
}

/** Best effort: a sweep removes chunks that are left behind. */
async function dropChunks(bucket: Bucket, nuid: string): Promise<void> {
  await purgeChunks(bucket, nuid).catch((error: unknown) =>
    bucket.log.warn({ error, nuid }, 'could not purge the chunks of a failed put; the next sweep will'),
  );
}

function chunkSizeOf(bucket: Bucket): number {
  return Math.min(CHUNK_LIMIT, (bucket.connection.info?.max_payload ?? CHUNK_LIMIT) - HEADROOM);
}
