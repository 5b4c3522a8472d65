import { DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { throwIfAborted } from '../../protocols/errors.ts';
import { type Bucket, unavailable } from './bucket.ts';
import type { PieceOptions } from './piece-store.ts';

const BATCH = 256;
const BATCH_LIMIT_MS = 5_000;

/** The messages that lie on a subject now, in the order of the stream, fetched in batches as the reader goes on. */
export async function* walk(
  bucket: Bucket,
  subject: string,
  options: PieceOptions & { readonly from?: number; readonly headersOnly?: boolean },
): AsyncGenerator<JsMsg, void, undefined> {
  try {
    const consumer = await bucket.client.consumers.get(bucket.stream, {
      filter_subjects: subject,
      headers_only: options.headersOnly ?? false,
      ...(options.from === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: options.from }),
    });
    try {
      for (;;) {
        // Asked anew for each batch: what is left may be purged meanwhile, and would be waited for in vain.
        const { num_pending: left } = await consumer.info();
        throwIfAborted(options.signal);
        if (left === 0) return;
        yield* await consumer.fetch({ max_messages: Math.min(left, BATCH), expires: BATCH_LIMIT_MS });
      }
    } finally {
      await consumer
        .delete()
        .catch((error: unknown) => bucket.log.debug({ error }, 'a consumer stays until it expires'));
    }
  } catch (error) {
    throw unavailable(error, `listing the bucket ${bucket.name}`);
  }
}
