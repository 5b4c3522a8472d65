import { AckPolicy } from '@nats-io/jetstream';
import { nanos, nuid } from '@nats-io/nats-core';
import type { Bucket } from './bucket.ts';
import { metaSubject } from './object-layout.ts';

/**
 * Unix ms by the server's clock, which also dates messages: the age of a message must not depend on the clock of
 * this machine. Servers report when a consumer was created, so one is created that matches nothing.
 */
export async function serverTime({ name: bucket, manager, stream }: Bucket): Promise<number> {
  const name = `clock-${nuid.next()}`;
  const { created } = await manager.consumers.add(stream, {
    name,
    filter_subject: metaSubject(bucket, name),
    ack_policy: AckPolicy.None,
    inactive_threshold: nanos(5_000),
    mem_storage: true,
    num_replicas: 1,
  });
  return Date.parse(created);
}
