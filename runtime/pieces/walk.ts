import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, type ConsumerInfo, DeliverPolicy } from '@nats-io/jetstream';
import { nanos, nuid } from '@nats-io/nats-core';
import { Retryable, throwIfAborted } from '#protocols/errors';
import { type Bucket, unavailable } from './bucket.ts';
import type { PieceOptions } from './piece-store.ts';
import { type Delivered, pullBatch } from './pull-batch.ts';

const BATCH = 256;
/** The server deletes a consumer whose reader pauses for longer; the walk continues with a new one. */
const IDLE_LIMIT_MS = 60_000;
/** After so many consumers in a row without a message the walk is given up. */
const MAX_STALLS = 8;
const STALL_PAUSE_MS = 100;

export interface WalkOptions extends PieceOptions {
  /** Stream sequence to begin at; the first message by default. */
  readonly from?: number;
  readonly headersOnly?: boolean;
}

/**
 * The messages currently stored on a subject, in stream order, fetched in batches as the reader proceeds. The
 * server counts the remaining messages when it sends, not when they arrive. So the walk compares what a consumer
 * has sent with what has arrived, and after a gap continues with a new consumer after the last message received: it
 * yields every message, or throws. (Still, a missing message proves nothing: it may have been stored during the
 * walk.)
 * @throws Retryable `piece-store-unavailable`; Cancelled
 */
export async function* walk(
  bucket: Bucket,
  subject: string,
  options: WalkOptions,
): AsyncGenerator<Delivered, void, undefined> {
  const doing = `listing the bucket ${bucket.name}`;
  let next = options.from ?? 1;
  let failure: unknown = new Retryable({
    code: 'piece-store-unavailable',
    message: `Failed at ${doing}: messages are lost in transit.`,
  });
  for (let stalls = 0; stalls < MAX_STALLS; stalls += 1) {
    throwIfAborted(options.signal);
    if (stalls > 0) await sleep(STALL_PAUSE_MS * stalls);
    const stretch = new Stretch(bucket, subject, { ...options, from: next });
    try {
      for (;;) {
        const batch = await stretch.next().catch((error: unknown) => {
          failure = error;
          return 'cut' as const;
        });
        throwIfAborted(options.signal);
        if (batch === 'end') return;
        if (batch === 'cut') break;
        for (const message of batch) {
          next = message.seq + 1;
          yield message;
        }
        if (batch.length > 0) stalls = 0;
      }
    } finally {
      stretch.close();
    }
  }
  throw unavailable(failure, doing);
}

/** The messages of one consumer, up to the first one that was sent but did not arrive. */
class Stretch {
  readonly #bucket: Bucket;
  readonly #subject: string;
  readonly #options: WalkOptions & { readonly from: number };
  readonly #name = `walk-${nuid.next()}`;
  #made = false;
  #received = 0;

  constructor(bucket: Bucket, subject: string, options: WalkOptions & { readonly from: number }) {
    this.#bucket = bucket;
    this.#subject = subject;
    this.#options = options;
  }

  async next(): Promise<Delivered[] | 'end' | 'cut'> {
    const { delivered, num_pending } = await this.#info();
    if (delivered.consumer_seq !== this.#received) return 'cut';
    if (num_pending === 0) return 'end';
    const batch = await pullBatch(this.#bucket, this.#name, Math.min(num_pending, BATCH));
    // the rest may have been purged: another consumer counts again
    if (batch.length === 0) return 'cut';
    const first = this.#received + 1;
    const gap = batch.findIndex(({ deliverySeq }, i) => deliverySeq !== first + i);
    this.#received += gap === -1 ? batch.length : gap;
    return gap === -1 ? batch : batch.slice(0, gap);
  }

  /** Best effort: the server deletes unused consumers by itself. */
  close(): void {
    if (!this.#made) return;
    const { manager, stream, log } = this.#bucket;
    manager.consumers
      .delete(stream, this.#name)
      .catch((error: unknown) => log.debug({ error }, 'could not delete a consumer; it will expire'));
  }

  async #info(): Promise<ConsumerInfo> {
    const { manager, stream } = this.#bucket;
    if (this.#made) return await manager.consumers.info(stream, this.#name);
    this.#made = true;
    return await manager.consumers.add(stream, {
      name: this.#name,
      filter_subject: this.#subject,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#options.from,
      ack_policy: AckPolicy.None,
      headers_only: this.#options.headersOnly ?? false,
      inactive_threshold: nanos(IDLE_LIMIT_MS),
      mem_storage: true,
      num_replicas: 1,
    });
  }
}
