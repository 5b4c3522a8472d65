import { createInbox, type Msg } from '@nats-io/nats-core';
import { linkOf } from '../nats/link.ts';
import type { Bucket } from './bucket.ts';

/** A server that has more to send does not pause longer than this. */
const SILENCE_MS = 2_000;
const LOOK_MS = 50;

/** A message as a consumer delivers it. */
export interface Delivered {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: Msg['headers'];
  /** Of the stream. */
  readonly seq: number;
  /** Counts what the consumer has sent, from 1. */
  readonly deliverySeq: number;
  /** Unix ms, by the clock of the server that stored it. */
  readonly time: number;
}

/**
 * Asks a consumer for the messages it has, without waiting for more. The batch ends when it is full, the server
 * ends it, the connection is lost, or nothing arrives any more. The caller therefore compares it with the count
 * that the consumer has sent. The library's `fetch` repeats the request after a lost connection and hides which of
 * these happened.
 */
export function pullBatch(bucket: Bucket, consumer: string, size: number): Promise<Delivered[]> {
  const { connection, stream } = bucket;
  const link = linkOf(connection);
  return new Promise((resolve, reject) => {
    const batch: Delivered[] = [];
    let heardAt = performance.now();
    const inbox = createInbox();
    const subscription = connection.subscribe(inbox, {
      callback(error, message) {
        if (error) return end(error);
        heardAt = performance.now();
        const delivered = deliveredFrom(message);
        if (!delivered) return end();
        batch.push(delivered);
        if (batch.length === size) end();
      },
    });
    const looking = setInterval(() => {
      if (linkOf(connection) !== link || performance.now() - heardAt > SILENCE_MS) end();
    }, LOOK_MS);
    function end(error?: Error): void {
      clearInterval(looking);
      subscription.unsubscribe();
      if (error) reject(error);
      else resolve(batch);
    }
    try {
      const request = JSON.stringify({ batch: size, no_wait: true });
      connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, { reply: inbox });
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** Undefined for a status of the server: no messages, no responders, the consumer is gone. */
function deliveredFrom({ subject, data, headers, reply }: Msg): Delivered | undefined {
  // $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivery>.<stream seq>.<consumer seq>.<time>.<pending>
  const tokens = reply?.split('.') ?? [];
  if (tokens.length < 9) return undefined;
  const [seq, deliverySeq, nanoseconds] = tokens.slice(tokens.length === 9 ? 5 : 7).map(Number);
  if (!seq || !deliverySeq || !nanoseconds) return undefined;
  return { subject, data, headers, seq, deliverySeq, time: Math.floor(nanoseconds / 1e6) };
}
